// From heatmaps to keypoints, and averaging with the mirror image.
#include <posemachine/pose/decode.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace decode_test {

namespace pm = posemachine;

namespace {

pm::Keypoint decoded(const std::vector<float>& map, int height, int width, double stride = 8, bool quarter = true) {
  const auto keypoints = pm::decode_heatmaps({map.data(), 1, height, width}, 1, stride, {.quarter_offset = quarter});
  REQUIRE(keypoints.size() == 1);
  return keypoints[0];
}

std::vector<float> noise(std::size_t count, std::uint32_t seed) {
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>((seed = seed * 1664525u + 1013904223u) >> 8) * 0x1p-24f;
  return values;
}

}  // namespace

TEST_CASE("decode_heatmaps: the highest cell's centre in input pixels, moved a quarter cell to the higher neighbours") {
  std::vector<float> map(5 * 7, 0.0f);
  map[2 * 7 + 4] = 0.75f;
  CHECK(decoded(map, 5, 7).position == pm::Point{3.5 + 32, 3.5 + 16});
  map[2 * 7 + 5] = 0.2f;  // right of it
  map[1 * 7 + 4] = 0.1f;  // above it
  CHECK(decoded(map, 5, 7).position == pm::Point{3.5 + 32 + 2, 3.5 + 16 - 2});
  CHECK(decoded(map, 5, 7, 8, false).position == pm::Point{3.5 + 32, 3.5 + 16});
  CHECK(decoded(map, 5, 7, 4).position == pm::Point{1.5 + 16 + 1, 1.5 + 8 - 1});
  CHECK(decoded(map, 5, 7).score == 0.75);
  map[2 * 7 + 3] = 0.3f;  // left of it, and higher than the right one
  CHECK(decoded(map, 5, 7).position.x == 3.5 + 32 - 2);
}

TEST_CASE("decode_heatmaps: no offset across a border, where one neighbour is unknown") {
  const std::vector<float> map{0.9f, 0.5f, 0.1f,  //
                               0.4f, 0.0f, 0.0f};
  CHECK(decoded(map, 2, 3).position == pm::Point{3.5, 3.5});
  CHECK(decoded({0.5f}, 1, 1).position == pm::Point{3.5, 3.5});
  CHECK(decoded({0.1f, 0.9f, 0.2f}, 1, 3).position == pm::Point{3.5 + 8 + 2, 3.5});
}

TEST_CASE("decode_heatmaps: of equal cells the first in row-major order wins") {
  const std::vector<float> map{0, 0, 0.5f,  //
                               0.5f, 0, 0};
  CHECK(decoded(map, 2, 3, 1, false).position == pm::Point{2, 0});
}

TEST_CASE("decode_heatmaps: scores are clamped to 0 .. 1, and a map below 0 still has a place") {
  CHECK(decoded({1.5f, 0}, 1, 2).score == 1);
  const auto low = decoded({-2, -1, -3}, 1, 3, 1, false);
  CHECK(low.score == 0);
  CHECK(low.position == pm::Point{1, 0});
}

TEST_CASE("decode_heatmaps: a value that is not finite makes that joint missing and no other") {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    for (std::size_t at = 0; at < 4; ++at) {
      std::vector<float> maps{0, 0.5f, 0, 0, 0, 0, 0.25f, 0};
      maps[at] = bad;
      const auto keypoints = pm::decode_heatmaps({maps.data(), 2, 2, 2}, 2, 8, {});
      CHECK_FALSE(keypoints[0].found());
      CHECK(keypoints[0].score == 0);
      CHECK(keypoints[1].position == pm::Point{3.5, 11.5});
      CHECK(keypoints[1].score == 0.25);
    }
  }
}

TEST_CASE("decode_heatmaps: the background's map gives no keypoint; too few or empty maps are refused") {
  const std::vector<float> maps(3 * 4, 0.0f);
  CHECK(pm::decode_heatmaps({maps.data(), 3, 2, 2}, 2, 8, {}).size() == 2);
  CHECK_THROWS_AS(pm::decode_heatmaps({maps.data(), 3, 2, 2}, 4, 8, {}), pm::UsageError);
  CHECK_THROWS_AS(pm::decode_heatmaps({maps.data(), 3, 0, 2}, 2, 8, {}), pm::UsageError);
  CHECK_THROWS_AS(pm::decode_heatmaps({maps.data(), 3, 2, 2}, 2, 0, {}), pm::UsageError);
}

TEST_CASE("decode_heatmaps: a joint's target decodes to within a quarter of a cell of where it was") {
  const pm::TargetOptions options{.map = {23, 29}};
  for (int i = 0; i < 60; ++i) {
    const pm::Point at{20 + 3.17 * i, 19 + 2.31 * i};
    const std::vector<pm::Joint> joints{{at, pm::JointState::visible}};
    std::vector<float> maps(2 * 23 * 29);
    std::vector<float> weights(2);
    pm::render_targets(joints, options, maps.data(), weights.data());
    const auto found = pm::decode_heatmaps({maps.data(), 2, 23, 29}, 1, 8, {})[0].position;
    CHECK(std::abs(found.x - at.x) <= 2 + 1e-9);  // a quarter of 8 pixels
    CHECK(std::abs(found.y - at.y) <= 2 + 1e-9);
  }
}

TEST_CASE("average_flipped: equals a naive loop, and the mirror image's average is exactly the mirrored average") {
  const int channels = 5;  // four joints, 0 and 2 a pair; a background
  const std::vector<int> mirrored{2, 1, 0, 3};
  for (const pm::Size map : {pm::Size{3, 5}, pm::Size{1, 1}, pm::Size{4, 2}}) {
    const std::size_t w = std::size_t(map.width);
    const std::size_t rows = std::size_t(map.height);
    const auto a = noise(std::size_t(channels) * rows * w, 1);
    const auto b = noise(std::size_t(channels) * rows * w, 2);
    auto ab = a;
    auto ba = b;
    pm::average_flipped(ab.data(), b.data(), channels, map.height, map.width, mirrored);
    pm::average_flipped(ba.data(), a.data(), channels, map.height, map.width, mirrored);
    const std::size_t other[]{2, 1, 0, 3, 4};
    for (std::size_t c = 0; c < 5; ++c) {
      for (std::size_t y = 0; y < rows; ++y) {
        for (std::size_t x = 0; x < w; ++x) {
          const std::size_t here = (c * rows + y) * w + x;
          const std::size_t there = (other[c] * rows + y) * w + w - 1 - x;
          CHECK(ab[here] == (a[here] + b[there]) / 2);
          CHECK(ab[here] == ba[there]);
        }
      }
    }
  }
}

TEST_CASE("average_flipped: with the mirror's own targets nothing moves: a left wrist stays where it is") {
  const auto set = pm::lsp_joints();
  const pm::TargetOptions options{.map = {16, 16}};
  std::vector<pm::Joint> joints(14, {{0, 0}, pm::JointState::outside});
  joints[11] = {{30.5, 70}, pm::JointState::visible};  // left wrist
  std::vector<pm::Joint> flipped_joints(14, {{0, 0}, pm::JointState::outside});
  flipped_joints[6] = {{127 - 30.5, 70}, pm::JointState::visible};  // the right wrist of the mirror image
  std::vector<float> maps(15 * 256), flipped(15 * 256), weights(15);
  pm::render_targets(joints, options, maps.data(), weights.data());
  pm::render_targets(flipped_joints, options, flipped.data(), weights.data());
  const auto before = maps;
  pm::average_flipped(maps.data(), flipped.data(), 15, 16, 16, pm::mirror(set));
  CHECK(maps == before);
}

TEST_CASE("average_flipped: mirrored channels that are not there are refused") {
  std::vector<float> maps(4), flipped(4);
  CHECK_THROWS_AS(pm::average_flipped(maps.data(), flipped.data(), 2, 1, 2, std::vector<int>{0, 1, 2}), pm::UsageError);
  CHECK_THROWS_AS(pm::average_flipped(maps.data(), flipped.data(), 2, 1, 2, std::vector<int>{2, 0}), pm::UsageError);
  CHECK_THROWS_AS(pm::average_flipped(maps.data(), flipped.data(), 2, 1, 2, std::vector<int>{-1}), pm::UsageError);
}

}  // namespace decode_test
