// Target heatmaps against a loop over every cell.
#include <posemachine/pose/targets.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace targets_test {

namespace pm = posemachine;
using pm::JointState;

namespace {

struct Targets {
  std::vector<float> maps;
  std::vector<float> weights;
};

Targets rendered(const std::vector<pm::Joint>& joints, const pm::TargetOptions& options) {
  const auto cells = std::size_t(options.map.height * options.map.width);
  Targets targets{std::vector<float>((joints.size() + 1) * cells, -7.0f), std::vector<float>(joints.size() + 1, -7.0f)};
  pm::render_targets(joints, options, targets.maps.data(), targets.weights.data());
  return targets;
}

/// The definition, at every cell of every map.
std::vector<float> naive(const std::vector<pm::Joint>& joints, const pm::TargetOptions& options) {
  std::vector<float> maps;
  const auto value_at = [&](const pm::Joint& joint, int gx, int gy) {
    if (joint.state == JointState::unlabelled || joint.state == JointState::outside || joint.weight == 0) return 0.0f;
    const double dx = (options.stride - 1) / 2 + options.stride * gx - joint.position.x;
    const double dy = (options.stride - 1) / 2 + options.stride * gy - joint.position.y;
    const double value = std::exp(-(dx * dx + dy * dy) / (2 * options.sigma_px * options.sigma_px));
    return value < options.cutoff ? 0.0f : static_cast<float>(value);
  };
  for (const pm::Joint& joint : joints) {
    for (int gy = 0; gy < options.map.height; ++gy) {
      for (int gx = 0; gx < options.map.width; ++gx) maps.push_back(value_at(joint, gx, gy));
    }
  }
  for (int gy = 0; gy < options.map.height; ++gy) {
    for (int gx = 0; gx < options.map.width; ++gx) {
      float highest = 0;
      for (const pm::Joint& joint : joints) highest = std::max(highest, value_at(joint, gx, gy));
      maps.push_back(std::max(0.0f, 1.0f - highest));
    }
  }
  return maps;
}

// exp's argument is formed in another order: an ulp of float on values up to 1.
constexpr float tolerance = 2 * std::numeric_limits<float>::epsilon();

void check_equals_naive(const std::vector<pm::Joint>& joints, const pm::TargetOptions& options) {
  const auto targets = rendered(joints, options);
  const auto expected = naive(joints, options);
  REQUIRE(targets.maps.size() == expected.size());
  float worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) worst = std::max(worst, std::abs(targets.maps[i] - expected[i]));
  CHECK(worst <= tolerance);
}

}  // namespace

TEST_CASE("render_targets: every cell equals the definition for odd sizes, strides, cut-offs and far joints") {
  const std::vector<pm::Joint> joints{{{20.3, 31.9}, JointState::visible},    {{0, 0}, JointState::occluded},
                                      {{-9.5, 12}, JointState::visible},      {{22, 33}, JointState::visible},
                                      {{57.1, 88.8}, JointState::visible},    {{-1e300, 1e300}, JointState::visible},
                                      {{30, 30}, JointState::outside},        {{40, 40}, JointState::unlabelled},
                                      {{400, 3}, JointState::visible},        {{30, 20}, JointState::visible, 0},
                                      {{12, 50}, JointState::occluded, 0.25f}};
  for (const pm::Size map : {pm::Size{13, 7}, pm::Size{1, 1}, pm::Size{1, 31}, pm::Size{46, 46}}) {
    for (const double stride : {8.0, 1.0, 5.0, 2.5}) {
      for (const double cutoff : {0.01, 0.0, 0.3, 1.0}) {
        CAPTURE(map.height);
        CAPTURE(stride);
        CAPTURE(cutoff);
        check_equals_naive(joints, {.map = map, .stride = stride, .sigma_px = 7, .cutoff = cutoff});
      }
    }
  }
}

TEST_CASE("render_targets: CPM's numbers: a joint on cell (2, 1) is 1 there, exp(-64/98) beside it, 0 at three cells") {
  const auto targets = rendered({{{3.5 + 16, 3.5 + 8}, JointState::visible}}, {.map = {5, 6}});
  CHECK(targets.maps[1 * 6 + 2] == 1.0f);
  CHECK(targets.maps[1 * 6 + 3] == doctest::Approx(0.520450));  // exp(-64 / 98)
  CHECK(targets.maps[1 * 6 + 4] == doctest::Approx(0.073369));  // exp(-256 / 98)
  CHECK(targets.maps[1 * 6 + 5] == 0.0f);                       // exp(-576 / 98) = 0.0028 < 1 %
  CHECK(targets.maps[30 + 1 * 6 + 2] == 0.0f);
  CHECK(targets.maps[30 + 1 * 6 + 3] == doctest::Approx(1 - 0.520450));
  CHECK(targets.maps[30 + 1 * 6 + 5] == 1.0f);
}

TEST_CASE("render_targets: unlabelled joints take their map's and the background's weight, unless not masked") {
  const std::vector<pm::Joint> joints{{{9, 9}, JointState::visible},
                                      {{9, 9}, JointState::unlabelled},
                                      {{9, 9}, JointState::outside},
                                      {{9, 9}, JointState::occluded}};
  CHECK(rendered(joints, {.map = {4, 4}}).weights == std::vector<float>{1, 0, 1, 1, 0});
  CHECK(rendered(joints, {.map = {4, 4}, .mask_unlabelled = false}).weights == std::vector<float>{1, 1, 1, 1, 1});
  const std::vector<pm::Joint> labelled{joints[0], joints[2], joints[3]};
  CHECK(rendered(labelled, {.map = {4, 4}}).weights == std::vector<float>{1, 1, 1, 1});
}

TEST_CASE("render_targets: a map weighs what its joint does, whatever its state, and the background the least of all") {
  std::vector<pm::Joint> joints{{{9, 9}, JointState::visible, 0.75f},
                                {{9, 9}, JointState::occluded, 0.5f},
                                {{9, 9}, JointState::outside, 0.625f}};
  CHECK(rendered(joints, {.map = {4, 4}}).weights == std::vector<float>{0.75f, 0.5f, 0.625f, 0.5f});
  // The weight of an annotation that is not there says nothing; a map that is not masked has weight 1.
  joints.push_back({{9, 9}, JointState::unlabelled, 0.25f});
  CHECK(rendered(joints, {.map = {4, 4}}).weights == std::vector<float>{0.75f, 0.5f, 0.625f, 0, 0});
  CHECK(rendered(joints, {.map = {4, 4}, .mask_unlabelled = false}).weights ==
        std::vector<float>{0.75f, 0.5f, 0.625f, 1, 0.5f});
  // Weights do not touch the maps.
  std::vector<pm::Joint> plain = joints;
  for (pm::Joint& joint : plain) joint.weight = 1;
  CHECK(rendered(joints, {.map = {4, 4}}).maps == rendered(plain, {.map = {4, 4}}).maps);
}

TEST_CASE("render_targets: a joint of weight 0 gives the bytes of an unlabelled one, masked or not") {
  const double nan = std::nan("");
  for (const auto state : {JointState::visible, JointState::occluded, JointState::outside, JointState::unlabelled}) {
    for (const pm::Point position : {pm::Point{9, 9}, pm::Point{nan, nan}}) {
      for (const bool mask : {true, false}) {
        const pm::TargetOptions options{.map = {4, 5}, .mask_unlabelled = mask};
        const auto weightless = rendered({{{7, 12}, JointState::visible}, {position, state, 0}}, options);
        const auto unlabelled = rendered({{{7, 12}, JointState::visible}, {{}, JointState::unlabelled}}, options);
        CHECK(weightless.maps == unlabelled.maps);
        CHECK(weightless.weights == unlabelled.weights);
      }
    }
  }
}

TEST_CASE("render_targets: joints outside the image have an empty map, occluded ones a peak") {
  const auto targets =
      rendered({{{11.5, 11.5}, JointState::outside}, {{11.5, 11.5}, JointState::occluded}}, {.map = {3, 3}});
  CHECK(std::all_of(targets.maps.begin(), targets.maps.begin() + 9, [](float v) { return v == 0; }));
  CHECK(targets.maps[9 + 4] == 1.0f);
}

TEST_CASE("render_targets: without joints the background is 1 everywhere and known") {
  const auto targets = rendered({}, {.map = {2, 3}});
  CHECK(targets.maps == std::vector<float>(6, 1.0f));
  CHECK(targets.weights == std::vector<float>{1});
}

TEST_CASE("render_targets: the maps of a mirrored joint are exactly the mirrored maps") {
  const int width = 15;
  for (const double x : {3.0, 40.25, 77.7, 118.0}) {
    const auto maps = rendered({{{x, 21.5}, JointState::visible}}, {.map = {9, width}}).maps;
    const auto mirrored = rendered({{{8 * width - 1 - x, 21.5}, JointState::visible}}, {.map = {9, width}}).maps;
    for (std::size_t row = 0; row < maps.size(); row += std::size_t(width)) {
      for (std::size_t g = 0; g < std::size_t(width); ++g) {
        CHECK(mirrored[row + g] == doctest::Approx(maps[row + std::size_t(width) - 1 - g]).epsilon(1e-6));
      }
    }
  }
}

TEST_CASE("render_targets: options out of range and labelled joints without a position are refused") {
  const std::vector<pm::Joint> joint{{{1, 1}, JointState::visible}};
  CHECK_THROWS_AS(rendered(joint, {.map = {0, 4}}), pm::UsageError);
  CHECK_THROWS_AS(rendered(joint, {.map = {4, 4}, .stride = 0}), pm::UsageError);
  CHECK_THROWS_AS(rendered(joint, {.map = {4, 4}, .sigma_px = std::nan("")}), pm::UsageError);
  CHECK_THROWS_AS(rendered(joint, {.map = {4, 4}, .cutoff = 1.5}), pm::UsageError);
  const double nan = std::nan("");
  CHECK_THROWS_WITH_AS(rendered({{{1, 1}, JointState::visible}, {{nan, 1}, JointState::occluded}}, {.map = {4, 4}}),
                       "joint 1: expected a finite position, got NaN or infinity; mark the joint as unlabelled",
                       pm::DataError);
  CHECK_NOTHROW(rendered({{{nan, nan}, JointState::unlabelled}}, {.map = {4, 4}}));
  for (const float weight : {-0.25f, 1.25f, std::numeric_limits<float>::quiet_NaN()}) {
    CHECK_THROWS_WITH_AS(rendered({{{1, 1}, JointState::visible, weight}}, {.map = {4, 4}}),
                         doctest::Contains("joint 0: expected a weight of 0 to 1"), pm::DataError);
    CHECK_NOTHROW(rendered({{{1, 1}, JointState::unlabelled, weight}}, {.map = {4, 4}}));
  }
}

TEST_CASE("render_centre_gaussian: symmetric about the centre, the definition at every pixel, 0 below 1 %") {
  const pm::Size input{36, 51};
  std::vector<float> map(36 * 51, -1.0f);
  pm::render_centre_gaussian(input, 6, map.data());
  for (int y = 0; y < 36; ++y) {
    for (int x = 0; x < 51; ++x) {
      const double d2 = (x - 25.0) * (x - 25.0) + (y - 17.5) * (y - 17.5);
      const double value = std::exp(-d2 / 72);
      const float got = map[std::size_t(y * 51 + x)];
      CHECK(std::abs(double(got) - (value < 0.01 ? 0 : value)) <= double(tolerance));
      CHECK(got == map[std::size_t((35 - y) * 51 + 50 - x)]);
    }
  }
  CHECK(map[0] == 0.0f);
  CHECK_THROWS_AS(pm::render_centre_gaussian(input, 0, map.data()), pm::UsageError);
}

}  // namespace targets_test
