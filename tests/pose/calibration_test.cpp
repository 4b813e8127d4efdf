// The curve from peaks to probabilities: its shape, its fit against a search, and the error of scores reckoned by hand.
#include <posemachine/pose/calibration.hpp>
#include <posemachine/pose/fit_calibration.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/calibration_error.hpp>
#include <posemachine/pose/metrics/metrics.hpp>
#include <posemachine/pose/pose.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace calibration_test {

namespace pm = posemachine;

namespace {

double uniform(std::uint32_t& state) {
  state = state * 1664525u + 1013904223u;
  return (state >> 8) * 0x1p-24;
}

// Joints that are right as often as the curve says.
std::vector<pm::JudgedPeak> drawn(const pm::Calibration& curve, int count, std::uint32_t seed) {
  std::vector<pm::JudgedPeak> judged;
  for (int i = 0; i < count; ++i) {
    const double peak = 0.02 + 0.98 * uniform(seed);
    judged.push_back({peak, uniform(seed) < curve(peak)});
  }
  return judged;
}

// With Platt's targets, in the plainest way.
double loss(const std::vector<pm::JudgedPeak>& judged, const pm::Calibration& curve) {
  double wrong = 0, right = 0, sum = 0;
  for (const pm::JudgedPeak& each : judged) ++(each.right ? right : wrong);
  for (const pm::JudgedPeak& each : judged) {
    const double target = each.right ? (right + 1) / (right + 2) : 1 / (wrong + 2);
    const double p = curve(each.peak);
    sum -= target * std::log(p) + (1 - target) * std::log(1 - p);
  }
  return sum;
}

}  // namespace

TEST_CASE("Calibration: half of the joints at its half, rising from 0 towards 1, and what is missing stays missing") {
  const pm::Calibration curve{.half = 0.25, .slope = 2};
  CHECK(curve(0.25) == doctest::Approx(0.5));
  CHECK(curve(0.5) == doctest::Approx(0.8));  // 0.25 / (0.25 + 0.0625)
  CHECK(curve(1) == doctest::Approx(16.0 / 17));
  CHECK(curve(0) == 0);
  CHECK(curve(1e-300) >= 0);
  for (double peak = 0.01; peak < 1; peak += 0.01) CHECK(curve(peak) < curve(peak + 0.01));
}

TEST_CASE("fit_calibration: finds the curve that joints were drawn from, and no other is likelier") {
  for (const pm::Calibration& truth : {pm::Calibration{.half = 0.34, .slope = 2.7}, {.half = 0.8, .slope = 1.2}}) {
    const std::vector<pm::JudgedPeak> judged = drawn(truth, 20000, 7);
    const std::optional<pm::Calibration> found = pm::fit_calibration(judged);
    REQUIRE(found.has_value());
    CHECK(found->half == doctest::Approx(truth.half).epsilon(0.05));
    CHECK(found->slope == doctest::Approx(truth.slope).epsilon(0.05));
    CHECK(found->joints == 20000);
    const double least = loss(judged, *found);
    for (const double more : {0.999, 1.001}) {
      CHECK(loss(judged, {.half = found->half * more, .slope = found->slope}) > least);
      CHECK(loss(judged, {.half = found->half, .slope = found->slope * more}) > least);
    }
  }
}

TEST_CASE("fit_calibration: peaks that part right from wrong cleanly leave the curve finite") {
  std::vector<pm::JudgedPeak> judged;
  for (int i = 0; i < 40; ++i) judged.push_back({i < 20 ? 0.1 + 0.001 * i : 0.9 + 0.001 * i, i >= 20});
  const std::optional<pm::Calibration> found = pm::fit_calibration(judged);
  REQUIRE(found.has_value());
  CHECK((*found)(0.1) == doctest::Approx(1.0 / 22).epsilon(0.3));
  CHECK((*found)(0.92) == doctest::Approx(21.0 / 22).epsilon(0.3));
}

TEST_CASE("fit_calibration: none of too few joints, of right ones alone, of peaks that are all alike or fall") {
  const auto judged = [](int wrong, int right, double wrong_peak, double right_peak) {
    std::vector<pm::JudgedPeak> all(std::size_t(wrong), pm::JudgedPeak{wrong_peak, false});
    all.insert(all.end(), std::size_t(right), pm::JudgedPeak{right_peak, true});
    return all;
  };
  CHECK_FALSE(pm::fit_calibration({}).has_value());
  CHECK_FALSE(pm::fit_calibration(judged(9, 100, 0.1, 0.9)).has_value());
  CHECK_FALSE(pm::fit_calibration(judged(100, 9, 0.1, 0.9)).has_value());
  CHECK(pm::fit_calibration(judged(10, 10, 0.1, 0.9)).has_value());
  CHECK_FALSE(pm::fit_calibration(judged(50, 50, 0.5, 0.5)).has_value());
  CHECK_FALSE(pm::fit_calibration(judged(50, 50, 0.9, 0.1)).has_value());
  // Missing joints are wrong, and say nothing of peaks.
  std::vector<pm::JudgedPeak> missing = judged(9, 100, 0.1, 0.9);
  missing.insert(missing.end(), 50, {0, false});
  CHECK_FALSE(pm::fit_calibration(missing).has_value());
}

TEST_CASE("mean_score: over all joints, missing ones as 0") {
  pm::Pose pose;
  CHECK(pm::mean_score(pose) == 0);
  pose.keypoints = {{{1, 1}, 0.9}, {{2, 2}, 0.3}, {}};
  CHECK(pm::mean_score(pose) == doctest::Approx(0.4));
}

TEST_CASE("ece: by hand") {
  pm::JointSet two;
  two.name = "two";
  two.joints = {"a", "b"};
  const pm::Metric metric = pm::MetricKinds().make("ece@0.1:box", two);
  pm::MeasuredPerson person;
  person.truth = {{{10, 10}, pm::JointState::visible}, {{50, 50}, pm::JointState::visible}};
  person.box = pm::Box{0, 0, 100, 100};  // right within 10 px
  // Joint a: 0.85 right and 0.81 wrong share a bin, 0.25 wrong. Joint b: 1 right, 0.95 right, missing.
  const std::vector<pm::MeasuredPerson> people(3, person);
  const std::vector<pm::Keypoints> estimates{
      {{{10, 20}, 0.85}, {{50, 50}, 1}}, {{{10, 21}, 0.81}, {{50, 50}, 0.95}}, {{{90, 10}, 0.25}, {}}};
  const pm::MetricResult result = metric.measure(people, estimates);
  CHECK(result.people == 3);
  CHECK(result.counted == std::vector<int>{3, 3});
  CHECK(result.right == std::vector<int>{1, 2});
  CHECK(result.parts[0].value == doctest::Approx(100 * (0.85 + 0.81 - 1 + 0.25) / 3));
  CHECK(result.parts[1].value == doctest::Approx(100 * (2 - 1.95 + 0) / 3));
  CHECK(result.pooled == doctest::Approx(100 * (0.66 + 0.25 + 0.05) / 6));
  CHECK(result.mean == doctest::Approx((result.parts[0].value + result.parts[1].value) / 2));
  CHECK(std::isnan(metric.measure({}, {}).pooled));
}

TEST_CASE("ece: falls to the error of a finite number of joints where scores are the curve's probabilities") {
  const pm::Calibration curve{.half = 0.34, .slope = 2.7};
  pm::ScoreBins peaks, probabilities;
  for (const pm::JudgedPeak& each : drawn(curve, 20000, 3)) {
    peaks.add(each.peak, each.right);
    probabilities.add(curve(each.peak), each.right);
  }
  CHECK(peaks.error() > 10);
  CHECK(probabilities.error() < 1);
}

}  // namespace calibration_test
