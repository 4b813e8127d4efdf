// The definitions of pose/metrics/end_point_error.hpp.
#pragma once

#include <posemachine/pose/metrics/end_point_error.hpp>

#include <posemachine/pose/metrics/pck.hpp>

#include <cstddef>
#include <vector>

#include <limits>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// The sum of a part's figures over all people that have one.
struct PartSums {
  explicit PartSums(std::size_t part_count) : sums(part_count, 0.0), counts(part_count, 0) {}

  void add(std::size_t part, double value);

  // Means in the parts, and over all of them alike.
  void write(MetricResult& result, const JointSet& joints) const;

  std::vector<double> sums;
  std::vector<int> counts;
};

POSEMACHINE_INLINE void PartSums::add(std::size_t part, double value) {
  sums[part] += value;
  ++counts[part];
}

POSEMACHINE_INLINE void PartSums::write(MetricResult& result, const JointSet& joints) const {
  double sum = 0;
  long long count = 0;
  for (std::size_t part = 0; part < sums.size(); ++part) {
    const double mean = counts[part] > 0 ? sums[part] / counts[part] : std::numeric_limits<double>::quiet_NaN();
    result.parts.push_back({joints.joints[part], mean});
    sum += sums[part];
    count += counts[part];
  }
  if (count > 0) result.pooled = sum / static_cast<double>(count);
  finish_result(result, joints.groups);
}

POSEMACHINE_INLINE MetricResult measure_end_point_error(const JointSet& joints, std::optional<Normaliser> normaliser,
                                                        std::span<const MeasuredPerson> people,
                                                        std::span<const Keypoints> estimates) {
  check_measured(joints, people, estimates);
  MetricResult result;
  result.counted.assign(joints.joints.size(), 0);
  PartSums errors(joints.joints.size());
  for (std::size_t i = 0; i < people.size(); ++i) {
    const std::optional<double> length = normaliser ? length_of(*normaliser, joints, people[i]) : 100;
    if (!length || !(*length > 0)) continue;
    ++result.people;
    for (std::size_t j = 0; j < joints.joints.size(); ++j) {
      if (!people[i].truth[j].is_labelled()) continue;
      ++result.counted[j];
      if (!estimates[i][j].found()) continue;
      errors.add(j, 100 * distance(estimates[i][j].position, people[i].truth[j].position) / *length);
    }
  }
  result.right = errors.counts;
  errors.write(result, joints);
  return result;
}

// The thresholds at which PCK's curve is sampled: 0, 0.02, ... 1 of the largest, as MPII's evaluation code has it.
inline constexpr int curve_steps = 50;

// 100 times the trapezoid under one joint's curve, which is 1 from the joint's error on.
POSEMACHINE_INLINE double area_under_step(double error, double largest) {
  if (!(error <= largest)) return 0;
  int right = 0;  // samples at or beyond the error, the last one left out
  for (int k = 0; k < curve_steps; ++k) right += error <= largest * k / curve_steps ? 1 : 0;
  const double first = error <= 0 ? 0.5 : 0.0;
  return 100 * (right + 0.5 - first) / curve_steps;
}

POSEMACHINE_INLINE MetricResult measure_area_under_curve(const JointSet& joints, Normaliser normaliser, double largest,
                                                         std::span<const MeasuredPerson> people,
                                                         std::span<const Keypoints> estimates) {
  check_measured(joints, people, estimates);
  MetricResult result;
  result.counted.assign(joints.joints.size(), 0);
  result.right.assign(joints.joints.size(), 0);
  PartSums areas(joints.joints.size());
  const std::vector<bool> counts = counting_joints(joints, normaliser == Normaliser::head);
  for (std::size_t i = 0; i < people.size(); ++i) {
    const std::optional<double> length = length_of(normaliser, joints, people[i]);
    if (!length) continue;
    ++result.people;
    for (std::size_t j = 0; j < joints.joints.size(); ++j) {
      if (!counts[j] || !people[i].truth[j].is_labelled()) continue;
      const double error = distance(estimates[i][j].position, people[i].truth[j].position);
      ++result.counted[j];
      result.right[j] += error <= largest * *length ? 1 : 0;
      areas.add(j, area_under_step(error, largest * *length));
    }
  }
  areas.write(result, joints);
  return result;
}

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
