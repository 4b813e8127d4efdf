// PoseEstimator: what Estimator says, from behind its wall.
#include "environment.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/pose_estimator.hpp>
#include <posemachine/inference/pose_estimator.ipp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/pose.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace pose_estimator_test {

using namespace posemachine;

namespace {

std::string bundled() {
  return (test_environment::source_dir() / "examples/models/scaling-dilation-fine.safetensors").string();
}

Image gradient(int width, int height) {
  Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.at(x, y)[0] = static_cast<std::uint8_t>(x * 255 / width);
      image.at(x, y)[1] = static_cast<std::uint8_t>(y * 255 / height);
      image.at(x, y)[2] = static_cast<std::uint8_t>((x * y) % 256);
    }
  }
  return image;
}

void check_same(const Pose& got, const Pose& expected) {
  CHECK(got.box == expected.box);
  REQUIRE(got.keypoints.size() == expected.keypoints.size());
  REQUIRE(got.keypoints.size() == 14);
  for (std::size_t j = 0; j < got.keypoints.size(); ++j) {
    CHECK(got.keypoints[j].position.x == expected.keypoints[j].position.x);
    CHECK(got.keypoints[j].position.y == expected.keypoints[j].position.y);
    CHECK(got.keypoints[j].score == expected.keypoints[j].score);
  }
}

}  // namespace

TEST_CASE("PoseEstimator: image, boxes, stages and copies give the bytes of Estimator") {
  const Image image = gradient(90, 120);
  const std::vector<Box> boxes{{10, 10, 40, 80}, {30, 20, 60, 60}, {-5, 70, 50, 70}};
  const Model model = Model::load(bundled());
  Estimator expected(model);
  PoseEstimator got(bundled());
  CHECK(got.spec().joints.joints == model.spec().joints.joints);
  CHECK(got.spec().input_height == model.spec().input_height);
  check_same(got(image), expected(image));
  PoseEstimator copy = got;
  PoseEstimator two = copy.with({.threads = 2, .cached_sizes = 1});
  CHECK(two.options().threads == 2);
  CHECK(got.options().threads == 1);
  const std::vector<Pose> poses = expected(image, boxes);
  for (PoseEstimator* each : {&copy, &two}) {
    const std::vector<Pose> same = (*each)(image, boxes);
    REQUIRE(same.size() == boxes.size());
    for (std::size_t i = 0; i < boxes.size(); ++i) check_same(same[i], poses[i]);
  }
  const PoseEstimator moved = std::move(copy);
  PoseEstimator early = moved.with({.stages = 1});
  const Estimate one = early.estimate_stages(image, boxes[1], {64, 64});
  const Estimate all = expected.estimate_stages(image, boxes[1], {64, 64});
  REQUIRE(one.stages.size() == 1);
  CHECK(one.stages[0].maps.values == all.stages[0].maps.values);
  CHECK(one.square == all.square);
  got = early;
  check_same(got.estimate_stages(image, boxes[1], {64, 64}).pose, one.pose);
  static_assert(std::is_nothrow_move_constructible_v<PoseEstimator> &&
                std::is_nothrow_move_assignable_v<PoseEstimator>);
}

TEST_CASE("PoseEstimator: errors are those of the model file and of Estimator") {
  CHECK_THROWS_WITH_AS(PoseEstimator("/nowhere/model.safetensors"), doctest::Contains("/nowhere/model.safetensors"),
                       Error);
  CHECK_THROWS_WITH_AS(PoseEstimator(bundled(), {.threads = 0}), doctest::Contains("threads"), UsageError);
  CHECK_THROWS_WITH_AS(PoseEstimator(bundled(), {.stages = 9}), doctest::Contains("expected 1 to 2"), UsageError);
  PoseEstimator estimator(bundled());
  CHECK_THROWS_AS(estimator(Image{}), DataError);
}

}  // namespace pose_estimator_test
