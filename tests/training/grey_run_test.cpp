// Training on pictures of one channel: 16-bit depth from files, to the same bytes however it is computed.
#include "refusal.hpp"
#include "training/small_run.hpp"

#include <posemachine/compose.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/training/checkpoint.hpp>
#include <posemachine/training/trainer.hpp>
#include <posemachine/training/validation_pictures.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

namespace grey_run_test {

using namespace posemachine;
using test_environment::contains;
using test_environment::refusal;

namespace {

// clang-format off: compositions, one part after another
struct Grey : Network<
    Input<"image", 1>, ConvReLU<8, 3, Norm::batch>, AveragePool<8>, Conv<15, 1>, Output<"heatmaps">> {};
// clang-format on

Model depth_model() {
  ModelSpec spec;
  spec.input_height = spec.input_width = 32;
  spec.colour_order = "grey";
  spec.bit_depth = 16;
  spec.normalisation = default_normalisation(16);
  return Model::random<Grey>(3, spec);
}

// A bright blob of millimetres where the joints are, before a far wall.
std::vector<Person> depth_people(const small_run::Folder& folder, int count) {
  std::vector<Person> people;
  for (int i = 0; i < count; ++i) {
    RandomStream stream(1, Purpose::test, 0, static_cast<std::uint64_t>(i));
    DepthImage image(32, 32, {3000});
    const int x = 8 + static_cast<int>(stream.below(16)), y = 8 + static_cast<int>(stream.below(16));
    for (int k = 0; k < 25; ++k) image.at(x + k % 5 - 2, y + k / 5 - 2)[0] = 900;
    Person person{folder / ("d" + std::to_string(i) + ".png"), "made", i + 1, {}, Framing::image};
    for (int j = 0; j < 14; ++j) {
      // A torso of some length, for PCK.
      const double off = j == 2 || j == 9 ? 4 : 0;
      person.joints.push_back({{x + off, y - off}, JointState::visible});
    }
    write_png(person.image, image);
    people.push_back(person);
  }
  return people;
}

}  // namespace

TEST_CASE("Trainer: 16-bit depth is learnt, to the same bytes with one worker and two, and from a checkpoint") {
  const small_run::Folder folder;
  const std::vector<Person> people = depth_people(folder, 16);
  TrainOptions options = small_run::tiny_options();
  options.epochs = 6;
  options.rate = 1e-2;
  const auto trained = [&](int workers) {
    options.workers = options.loader_workers = workers;
    Trainer trainer(depth_model(), people, {}, options);
    CHECK(trainer.find_damaged_headers() == 16);
    CHECK(trainer.damaged().all().empty());
    std::vector<double> losses;
    trainer.run({}, [&](const TrainEvent& event) {
      if (event.kind == TrainEvent::Kind::epoch) losses.push_back(event.losses.back());
    });
    CHECK(losses.back() < 0.9 * losses.front());
    return trainer.checkpoint();
  };
  Checkpoint one = trained(1), two = trained(2);
  CHECK(one.model.to_bytes() == two.model.to_bytes());
  const Checkpoint back = checkpoint_from_bytes(checkpoint_to_bytes(one), "c");
  CHECK(back.model.spec().bit_depth == 16);
  CHECK(back.model.spec().normalisation == default_normalisation(16));
  Trainer again(back, people, {});
  CHECK(again.step() == 24);
}

TEST_CASE(
    "Trainer: an 8-bit picture for a 16-bit input ends the run before its first step, in training and validation") {
  const small_run::Folder folder;
  std::vector<Person> people = depth_people(folder, 5);
  std::vector<Person> validation(people.begin() + 4, people.end());
  const TrainOptions options = small_run::tiny_options();
  Trainer sound(depth_model(), people, validation, options);
  CHECK(sound.find_damaged_headers() == 5);
  CHECK(sound.constant_pose_score().mean >= 0);
  validation[0].image = folder / "grey.png";
  write_png(validation[0].image, GreyImage(32, 32));
  Trainer trainer(depth_model(), people, validation, options);
  CHECK(contains(refusal<DataError>([&] { trainer.find_damaged_headers(); }), "grey.png: expected samples of 16 bits"));
  CHECK(trainer.damaged().all().empty());
}

TEST_CASE("draw_validation: 16-bit depth is shown in its own range, not as a black picture") {
  const small_run::Folder folder;
  const Person person = depth_people(folder, 1).front();
  Estimator estimator(depth_model());
  const ValidationPictures pictures = draw_validation(estimator, person);
  // The wall is the largest value: white but for skeletons.
  const auto white = std::count(pictures.pose.pixels.begin(), pictures.pose.pixels.end(), 255);
  CHECK(white > static_cast<std::ptrdiff_t>(pictures.pose.pixels.size()) / 3);
  REQUIRE(pictures.stages.size() == 1);
}

}  // namespace grey_run_test
