// From heatmaps to keypoints, and averaging with the mirror image.
#include "reference/dark.hpp"

#include <posemachine/core/random.hpp>
#include <posemachine/pose/decode.hpp>
#include <posemachine/pose/decoders/decoders.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/pose/targets.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace decode_test {

namespace pm = posemachine;
using pm::DecoderKind;

namespace {

pm::Keypoint decoded(const std::vector<float>& map, int height, int width, double stride = 8, bool quarter = true) {
  const auto keypoints = pm::decode_heatmaps({map.data(), 1, height, width}, 1, stride,
                                             quarter ? pm::quarter_offset_decoder : pm::arg_max_decoder);
  REQUIRE(keypoints.size() == 1);
  return keypoints[0];
}

const std::vector<DecoderKind> kinds = pm::DecoderKinds().all();

/// In cells of a map of stride 1, the targets' width being sigma cells.
pm::Keypoint decoded_as(DecoderKind kind, const std::vector<float>& map, int height, int width, double sigma = 0.875) {
  return pm::decode_heatmaps({map.data(), 1, height, width}, 1, 1, kind, sigma)[0];
}

std::vector<float> gaussian(int height, int width, pm::Point at, double sigma, double peak = 1) {
  std::vector<float> map;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double squared = (x - at.x) * (x - at.x) + (y - at.y) * (y - at.y);
      map.push_back(static_cast<float>(peak * std::exp(-squared / (2 * sigma * sigma))));
    }
  }
  return map;
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
  const std::vector<float> map{0,    0, 0.5f,  //
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
      const auto keypoints = pm::decode_heatmaps({maps.data(), 2, 2, 2}, 2, 8, pm::quarter_offset_decoder);
      CHECK_FALSE(keypoints[0].found());
      CHECK(keypoints[0].score == 0);
      CHECK(keypoints[1].position == pm::Point{3.5, 11.5});
      CHECK(keypoints[1].score == 0.25);
    }
  }
}

TEST_CASE("decode_heatmaps: the background's map gives no keypoint; too few or empty maps are refused") {
  const std::vector<float> maps(3 * 4, 0.0f);
  CHECK(pm::decode_heatmaps({maps.data(), 3, 2, 2}, 2, 8, pm::quarter_offset_decoder).size() == 2);
  CHECK_THROWS_AS(pm::decode_heatmaps({maps.data(), 3, 2, 2}, 4, 8, pm::quarter_offset_decoder), pm::UsageError);
  CHECK_THROWS_AS(pm::decode_heatmaps({maps.data(), 3, 0, 2}, 2, 8, pm::quarter_offset_decoder), pm::UsageError);
  CHECK_THROWS_AS(pm::decode_heatmaps({maps.data(), 3, 2, 2}, 2, 0, pm::quarter_offset_decoder), pm::UsageError);
  CHECK_THROWS_AS(pm::decode_heatmaps({maps.data(), 3, 2, 2}, 2, 8, pm::quarter_offset_decoder, 0), pm::UsageError);
}

TEST_CASE("decode_heatmaps: a joint's target decodes to within a quarter of a cell of where it was") {
  const pm::TargetOptions options{.map = {23, 29}};
  for (int i = 0; i < 60; ++i) {
    const pm::Point at{20 + 3.17 * i, 19 + 2.31 * i};
    const std::vector<pm::Joint> joints{{at, pm::JointState::visible}};
    std::vector<float> maps(2 * 23 * 29);
    std::vector<float> weights(2);
    pm::render_targets(joints, options, maps.data(), weights.data());
    const auto found = pm::decode_heatmaps({maps.data(), 2, 23, 29}, 1, 8, pm::quarter_offset_decoder)[0].position;
    CHECK(std::abs(found.x - at.x) <= 2 + 1e-9);  // a quarter of 8 pixels
    CHECK(std::abs(found.y - at.y) <= 2 + 1e-9);
  }
}

TEST_CASE("decoders: Gaussians come back from between the cells, each decoder as exactly as its comment says") {
  struct Case {
    double sigma;   // cells
    double taylor;  // largest error along an axis, cells
    double mean;
  };
  pm::RandomStream stream(3, pm::Purpose::test);
  for (const Case& each : {Case{0.875, 0.004, 0.02}, Case{0.5, 0.06, 0.03}, Case{1, 0.004, 0.1}, Case{3, 0.004, 0.1}}) {
    CAPTURE(each.sigma);
    for (int i = 0; i < 200; ++i) {
      const pm::Point at{stream.uniform(14, 26), stream.uniform(14, 20)};
      for (const double peak : {1.0, 0.01, 40.0}) {  // squared error, an uncertain joint, a scaled distribution
        const auto map = gaussian(36, 41, at, each.sigma, peak);
        const auto error = [&](DecoderKind kind) {
          const pm::Point found = decoded_as(kind, map, 36, 41, each.sigma).position;
          return std::max(std::abs(found.x - at.x), std::abs(found.y - at.y));
        };
        CHECK(error(pm::arg_max_decoder) <= 0.5 + 1e-6);  // 1e-6: floats of equal height
        CHECK(error(pm::quarter_offset_decoder) <= 0.25 + 1e-6);
        CHECK(error(pm::taylor_decoder) <= each.taylor);
        CHECK(error(pm::local_mean_decoder) <= each.mean);
        CHECK(decoded_as(pm::taylor_decoder, map, 36, 41).score ==
              std::min(1.0, double(*std::max_element(map.begin(), map.end()))));
      }
    }
  }
}

TEST_CASE("decoders: targets as training draws them, cut off at 1 %, come back to within 0.01 cells of taylor") {
  const pm::TargetOptions options{.map = {23, 29}};
  pm::RandomStream stream(4, pm::Purpose::test);
  for (int i = 0; i < 100; ++i) {
    const pm::Point at{stream.uniform(30, 200), stream.uniform(30, 150)};
    const std::vector<pm::Joint> joints{{at, pm::JointState::visible}};
    std::vector<float> maps(2 * 23 * 29);
    std::vector<float> weights(2);
    pm::render_targets(joints, options, maps.data(), weights.data());
    const auto error = [&](DecoderKind kind) {
      return distance(pm::decode_heatmaps({maps.data(), 2, 23, 29}, 1, 8, kind, 7)[0].position, at);
    };
    CHECK(error(pm::taylor_decoder) < 8 * 0.01);
    CHECK(error(pm::local_mean_decoder) < 8 * 0.03);
  }
}

TEST_CASE("taylor: equals the paper's formulas on the whole map, written out in double precision") {
  const int height = 25, width = 31;
  int steps = 0;
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    pm::RandomStream stream(seed, pm::Purpose::test);
    const pm::Point at{stream.uniform(8, 22), stream.uniform(8, 16)};
    const double sigma = stream.uniform(0.6, 1.6);
    auto map = gaussian(height, width, at, stream.uniform(0.6, 2) * sigma, seed % 3 ? 1 : 30);
    const auto noisy = noise(map.size(), seed);
    const float share = seed % 4 == 0 ? 0.9f : 0.1f;
    for (std::size_t i = 0; i < map.size(); ++i) map[i] += share * (noisy[i] - (seed % 2 ? 0.5f : 0));
    const pm::Keypoint plain = decoded_as(pm::arg_max_decoder, map, height, width);
    const int x = static_cast<int>(plain.position.x);
    const int y = static_cast<int>(plain.position.y);
    if (x < 7 || y < 7 || x >= width - 7 || y >= height - 7) continue;  // the paper's kernel meets zeros there
    const std::optional<pm::Point> step = posemachine::reference::dark_step(map, height, width, x, y, sigma);
    const pm::Point found = decoded_as(pm::taylor_decoder, map, height, width, sigma).position;
    const pm::Point quarter = decoded_as(pm::quarter_offset_decoder, map, height, width).position;
    const pm::Point expected = step ? plain.position + *step : quarter;
    CHECK(distance(found, expected) < 2e-5);  // offsets are rounded to 1/65536
    steps += step ? 1 : 0;
  }
  CHECK(steps > 100);
  CHECK(steps < 200);  // the guards were met, too
}

TEST_CASE("decoders: mirrored maps have exactly mirrored positions") {
  for (const pm::Size size : {pm::Size{9, 12}, pm::Size{1, 7}, pm::Size{6, 1}, pm::Size{2, 3}, pm::Size{46, 46}}) {
    const int h = size.height, w = size.width;
    for (std::uint32_t seed = 1; seed <= 40; ++seed) {
      auto map = noise(std::size_t(h) * std::size_t(w), seed);
      if (seed % 2) {  // a peak on the noise, which may be below 0 and is steep as a distribution's
        const auto peak = gaussian(h, w, {w * 0.37, h * 0.61}, 0.8, 3);
        for (std::size_t i = 0; i < map.size(); ++i) map[i] = peak[i] + 0.3f * (map[i] - 0.5f);
      }
      auto across = map, down = map;
      for (int y = 0; y < h; ++y) {
        for (int x = 0; x < w; ++x) {
          const float value = map[std::size_t(y * w + x)];
          across[std::size_t(y * w + w - 1 - x)] = value;
          down[std::size_t((h - 1 - y) * w + x)] = value;
        }
      }
      for (const DecoderKind kind : kinds) {
        for (const double stride : {1.0, 8.0}) {
          const auto found = [&](const std::vector<float>& values) {
            return pm::decode_heatmaps({values.data(), 1, h, w}, 1, stride, kind, 0.9 * stride)[0].position;
          };
          const pm::Point here = found(map);
          CHECK(found(across) == pm::Point{w * stride - 1 - here.x, here.y});
          CHECK(found(down) == pm::Point{here.x, h * stride - 1 - here.y});
        }
      }
    }
  }
}

TEST_CASE("decoders: at a border only the other axis moves, and one cell from it taylor is still exact") {
  for (const DecoderKind kind : {pm::taylor_decoder, pm::local_mean_decoder}) {
    const pm::Point found = decoded_as(kind, gaussian(20, 20, {0.2, 9.7}, 0.875), 20, 20).position;
    CHECK(found.x == 0);
    CHECK(std::abs(found.y - 9.7) < 0.02);
    CHECK(decoded_as(kind, gaussian(20, 20, {18.9, 19.2}, 0.875), 20, 20).position.y == 19);
    CHECK(decoded_as(kind, {0.5f}, 1, 1).position == pm::Point{0, 0});
    CHECK(decoded_as(kind, {0.5f, 0.7f}, 1, 2).position == pm::Point{1, 0});
    CHECK(decoded_as(kind, {0.9f, 0.5f, 0.4f, 0}, 2, 2).position == pm::Point{0, 0});
    CHECK(decoded_as(kind, gaussian(1, 9, {4.3, 0}, 0.875), 1, 9).position.y == 0);
    CHECK(std::abs(decoded_as(kind, gaussian(1, 9, {4.3, 0}, 0.875), 1, 9).position.x - 4.3) < 0.02);
    CHECK(std::abs(decoded_as(kind, gaussian(9, 1, {0, 3.6}, 0.875), 9, 1).position.y - 3.6) < 0.02);
  }
  for (const double x : {0.6, 0.9, 1.3}) {
    const auto map = gaussian(20, 20, {x, 17.8}, 0.875);
    CHECK(distance(decoded_as(pm::taylor_decoder, map, 20, 20).position, {x, 17.8}) < 0.01);
  }
}

TEST_CASE("decoders: flat maps, spikes and values below 0 have a place; one that is not finite has none") {
  for (const DecoderKind kind : kinds) {
    CAPTURE(std::string(kind.name));
    for (const float value : {0.0f, 0.25f, -1.0f, 1e-30f, -1e-30f, 3e38f}) {
      CHECK(decoded_as(kind, std::vector<float>(35, value), 5, 7).position == pm::Point{0, 0});
      std::vector<float> plateau(35, value);
      plateau[2 * 7 + 3] = std::nextafter(value, std::numeric_limits<float>::max());
      CHECK(distance(decoded_as(kind, plateau, 5, 7).position, {3, 2}) < 1e-4);
    }
    std::vector<float> spike(35, 0.0f);
    spike[2 * 7 + 3] = 1e-20f;
    CHECK(decoded_as(kind, spike, 5, 7).position == pm::Point{3, 2});
    spike[2 * 7 + 3] = 1e20f;
    CHECK(decoded_as(kind, spike, 5, 7).position == pm::Point{3, 2});
    CHECK(decoded_as(kind, spike, 5, 7).score == 1);
    for (float& value : spike) value -= 2e20f;  // all below 0
    const pm::Keypoint low = decoded_as(kind, spike, 5, 7);
    CHECK(low.position == pm::Point{3, 2});
    CHECK(low.score == 0);
    spike[34] = std::numeric_limits<float>::quiet_NaN();
    CHECK_FALSE(decoded_as(kind, spike, 5, 7).found());
  }
}

TEST_CASE("taylor: a step beyond the neighbouring cells and a peak that is no peak fall back to a quarter of a cell") {
  // A spike beside a hill: smoothed, the map rises towards the hill without end.
  auto map = gaussian(21, 21, {13, 10}, 3, 0.8);
  map[10 * 21 + 8] = 0.85f;
  const auto found = decoded_as(pm::taylor_decoder, map, 21, 21, 2).position;
  CHECK(found == decoded_as(pm::quarter_offset_decoder, map, 21, 21).position);
  CHECK(found == pm::Point{8.25, 10});
}

TEST_CASE("decoders: widths far from the maps' size are no matter") {
  const auto map = gaussian(15, 15, {7.2, 6.9}, 1);
  for (const DecoderKind kind : kinds) {
    for (const double sigma : {1e-3, 0.05, 1000.0, 1e300}) {
      const pm::Point found = decoded_as(kind, map, 15, 15, sigma).position;
      CHECK(std::abs(found.x - 7.2) <= 0.5);
      CHECK(std::abs(found.y - 6.9) <= 0.5);
    }
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

TEST_CASE("DecoderKinds: a decoder of one's own moves joints from the highest cell; no finite offset, no joint") {
  constexpr DecoderKind leans{
      .name = "leans", .does = "0.25 cells to the right", .offset = [](const pm::Peak& peak, double) {
        return pm::Point{peak.at(0, 0) > 0.5f ? 0.25 : std::nan(""), 0};
      }};
  const pm::DecoderKinds known{leans};
  std::vector<float> map(35, 0.0f);
  map[2 * 7 + 3] = 0.75f;
  CHECK(decoded_as(known.get("leans", "test"), map, 5, 7).position == pm::Point{3.25, 2});
  map[2 * 7 + 3] = 0.25f;
  CHECK_FALSE(decoded_as(leans, map, 5, 7).found());

  pm::ModelSpec spec;
  spec.decoder.kind = "leans";
  CHECK(known.of(spec).name == "leans");
  CHECK_THROWS_WITH_AS(static_cast<void>(pm::DecoderKinds().of(spec)),
                       doctest::Contains("got \"leans\"; choose one of these, or"), pm::ModelError);
  CHECK_THROWS_WITH_AS(pm::DecoderKinds{DecoderKind{.name = "none"}}, doctest::Contains("a function offset"),
                       pm::UsageError);
  CHECK_THROWS_WITH_AS(pm::DecoderKinds{pm::taylor_decoder}, doctest::Contains("a name of its own"), pm::UsageError);
  CHECK_THROWS_WITH_AS(pm::decode_heatmaps({map.data(), 1, 5, 7}, 1, 8, DecoderKind{}), doctest::Contains("no decoder"),
                       pm::UsageError);
}

}  // namespace decode_test
