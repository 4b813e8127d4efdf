// Pictures of validation: the truth beside the estimate, and a panel for every stage.
#include "small_run.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/draw_estimate.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/pose/panel.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/training/validation_pictures.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>

namespace validation_pictures_test {

using namespace posemachine;

namespace {

// How many pixels differ in the left half and in the right one.
std::array<int, 2> changed_pixels(const Image& one, const Image& other) {
  REQUIRE(one.width == other.width);
  REQUIRE(one.height == other.height);
  std::array<int, 2> changed{};
  for (int y = 0; y < one.height; ++y) {
    for (int x = 0; x < one.width; ++x) changed[2 * x >= one.width] += one.at(x, y)[0] != other.at(x, y)[0];
  }
  return changed;
}

}  // namespace

TEST_CASE("draw_validation: two poses side by side and a panel a stage, as the estimator sees the whole photograph") {
  const small_run::Folder folder;
  const Person person = small_run::noise_people(folder, 1, false, 1).front();
  Estimator estimator(small_run::tiny_model());
  const ValidationPictures pictures = draw_validation(estimator, person);
  CHECK(pictures.pose.width == 3 * 13 + 2 * 320);  // gap 13, text 15, caption 30 pixels
  CHECK(pictures.pose.height == 2 * 13 + 320 + 30);
  REQUIRE(pictures.stages.size() == 2);
  const Image photo = read_image(person.image);
  const Estimate estimate = estimator.estimate_stages(photo);
  for (std::size_t stage = 0; stage < 2; ++stage) {
    const PanelOptions options{.picture_width_px = 128};
    CHECK(pictures.stages[stage].pixels ==
          draw_stage(photo, estimate, stage, estimator.model().spec(), options).pixels);
  }
  CHECK(pictures.stages[0].pixels != pictures.stages[1].pixels);
  CHECK(draw_validation(estimator, person).pose.pixels == pictures.pose.pixels);
  const ValidationPictures small = draw_validation(estimator, person, {.pose_width_px = 64, .map_width_px = 32});
  CHECK(small.pose.width == 3 * 4 + 2 * 64);
  CHECK(small.stages[0].width == 4 + 4 * 36);
}

TEST_CASE("draw_validation: labelled joints are drawn on the left alone, those without a label not at all") {
  const small_run::Folder folder;
  Person person = small_run::noise_people(folder, 1, false, 2).front();
  Estimator estimator(small_run::tiny_model());
  const Image before = draw_validation(estimator, person).pose;
  person.joints[13].position = {5, 5};  // the head's top: a limb to the neck
  const Image moved = draw_validation(estimator, person).pose;
  CHECK(changed_pixels(before, moved)[0] > 20);
  CHECK(changed_pixels(before, moved)[1] == 0);
  for (Joint& joint : person.joints) joint.state = JointState::unlabelled;
  const Image unlabelled = draw_validation(estimator, person).pose;
  for (Joint& joint : person.joints) joint.position.x += 7;
  CHECK(draw_validation(estimator, person).pose.pixels == unlabelled.pixels);
  CHECK(changed_pixels(before, unlabelled)[0] > 100);
  CHECK(changed_pixels(before, unlabelled)[1] == 0);
}

TEST_CASE("draw_validation: a person of another joint set and an absent photograph are refused") {
  const small_run::Folder folder;
  Person person = small_run::noise_people(folder, 1, false, 3).front();
  Estimator estimator(small_run::tiny_model());
  person.joints.pop_back();
  CHECK_THROWS_AS(draw_validation(estimator, person), UsageError);
  person.image = folder / "absent.png";
  CHECK_THROWS_WITH_AS(draw_validation(estimator, person), doctest::Contains("absent.png"), DataError);
}

}  // namespace validation_pictures_test
