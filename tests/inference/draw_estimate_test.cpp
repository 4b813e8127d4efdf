// Pictures of estimates: places of the photograph are found again, and each stage shows its own maps.
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/inference/draw_estimate.hpp>
#include <posemachine/inference/estimate.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/pose/panel.hpp>
#include <posemachine/pose/pose.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <vector>

namespace draw_estimate_test {

using namespace posemachine;

namespace {

// Two stages of cold maps, 4 x 4 cells over the square, no joint found.
Estimate cold_estimate(const Box& square) {
  Estimate estimate;
  estimate.square = estimate.pose.box = square;
  estimate.pose.keypoints.resize(14);
  for (int stage = 0; stage < 2; ++stage) estimate.stages.push_back({Tensor({15, 4, 4}), estimate.pose.keypoints});
  return estimate;
}

// The pixels of a panel's picture; pictures of 96 x 96 in 4 columns, gap 4, captions 14 pixels.
std::vector<int> cell_of(const Image& panel, int index) {
  std::vector<int> values;
  for (int y = 0; y < 96; ++y) {
    for (int x = 0; x < 96; ++x) {
      const auto* pixel = panel.at(4 + index % 4 * 100 + x, 4 + index / 4 * 114 + y);
      values.insert(values.end(), pixel, pixel + 3);
    }
  }
  return values;
}

}  // namespace

TEST_CASE(
    "cut_seen: a keypoint of the photograph stands on the same colours in the picture; beyond the edge is black") {
  Image photo(60, 40, {0, 0, 250});
  for (int y = 28; y < 35; ++y) {
    for (int x = 47; x < 54; ++x) *photo.at(x, y) = 255;
  }
  ModelSpec spec;
  for (const int width : {31, 80, 200}) {
    CAPTURE(width);
    const SeenPart seen = cut_seen(photo, {10, 0, 60, 60}, spec, width);
    REQUIRE(seen.picture.width == width);
    REQUIRE(seen.picture.height == width);
    const std::vector<Keypoint> placed = seen.placed({{{50, 31}, 0.5}, {}});
    CHECK(*seen.picture.at(int(std::lround(placed[0].position.x)), int(std::lround(placed[0].position.y))) == 255);
    CHECK(placed[0].score == 0.5);
    CHECK_FALSE(placed[1].found());
    CHECK(seen.picture.at(0, width / 4)[0] == 0);
    CHECK(seen.picture.at(0, width / 4)[2] == 250);
    CHECK(seen.picture.at(0, width - 1)[2] == 0);
    CHECK(seen.picture.at(width - 1, width / 4)[2] == 0);
  }
  spec.input_height = 92;  // a quarter of its width
  CHECK(cut_seen(photo, {10, 0, 60, 60}, spec, 80).picture.height == 20);
}

TEST_CASE("draw_stage: a stage's panel shows its maps and keypoints, not those of another") {
  const Image photo(64, 64, {200, 100, 50});
  Estimate estimate = cold_estimate({0, 0, 64, 64});
  const PanelOptions options{.picture_width_px = 96};
  const Image cold = draw_stage(photo, estimate, 1, {}, options);
  estimate.stages[1].maps.values[2 * 16 + 1 * 4 + 3] = 1;  // joint 2, cell (3, 1)
  estimate.stages[1].keypoints[2] = {{55.5, 23.5}, 0.9};
  const Image first = draw_stage(photo, estimate, 0, {}, options);
  const Image second = draw_stage(photo, estimate, 1, {}, options);
  CHECK(first.pixels == cold.pixels);
  for (int picture = 0; picture < 15; ++picture) {  // photo, then the joints
    CAPTURE(picture);
    CHECK((cell_of(second, picture) == cell_of(cold, picture)) == (picture != 3));
  }
  CHECK(cell_of(second, 15) != cell_of(cold, 15));  // the pose: one disc
  const auto* hot = second.at(4 + 3 * 100 + 96 * 7 / 8, 4 + 96 * 3 / 8);
  CHECK(hot[0] > 200);
  CHECK(hot[0] > hot[2]);
}

TEST_CASE("draw_stage: a stage that the estimate does not have is refused") {
  const Estimate estimate = cold_estimate({0, 0, 8, 8});
  CHECK_THROWS_WITH_AS(draw_stage(Image(8, 8), estimate, 2, {}), doctest::Contains("expected less than the 2"),
                       UsageError);
}

}  // namespace draw_estimate_test
