// The definitions of pose/metrics/metric.hpp.
#pragma once

#include <posemachine/pose/metrics/metric.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE double MetricResult::group(std::string_view name) const {
  for (const MetricValue& each : groups) {
    if (each.name == name) return each.value;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

POSEMACHINE_INLINE std::string to_string(const MetricSpec& spec) {
  std::string text = spec.kind;
  if (spec.threshold) {
    std::array<char, 32> digits{};  // a double's shortest form has at most 24
    text += "@" + std::string(digits.data(), std::to_chars(digits.begin(), digits.end(), *spec.threshold).ptr);
  }
  return text + (spec.normaliser.empty() ? "" : ":" + spec.normaliser);
}

namespace detail {

POSEMACHINE_INLINE double threshold_of(const MetricSpec& spec, double absent) {
  const double threshold = spec.threshold.value_or(absent);
  if (threshold > 0 && threshold <= 1e6) return threshold;
  fail<UsageError>({.where = "metric " + spec.kind,
                    .expected = "a threshold above 0, up to a million",
                    .got = to_string({"", threshold, ""}).substr(1)});
}

POSEMACHINE_INLINE void check_measured(const JointSet& joints, std::span<const MeasuredPerson> people,
                                       std::span<const Keypoints> estimates) {
  const std::size_t count = joints.joints.size();
  if (people.size() != estimates.size()) {
    fail<UsageError>({.where = "metrics",
                      .expected = std::to_string(people.size()) + " estimates, one per person",
                      .got = std::to_string(estimates.size())});
  }
  for (std::size_t i = 0; i < people.size(); ++i) {
    const std::vector<Joint>& truth = people[i].truth;
    if (truth.size() != count || estimates[i].size() != count) {
      fail<UsageError>(
          {.where = "metrics",
           .expected = std::to_string(count) + " true and estimated joints (joint set " + joints.name + ")",
           .got = std::to_string(truth.size()) + " and " + std::to_string(estimates[i].size())});
    }
    for (std::size_t j = 0; j < count; ++j) {
      const Point& position = truth[j].position;
      if (!truth[j].is_labelled() || (std::isfinite(position.x) && std::isfinite(position.y))) continue;
      fail<DataError>({.where = "metrics: truth of " + joints.joints[j],
                       .expected = "a finite position, or an unlabelled joint",
                       .got = "NaN or infinity"});
    }
  }
}

POSEMACHINE_INLINE double mean_of(const std::vector<MetricValue>& parts, std::span<const int> which) {
  double sum = 0;
  int count = 0;
  for (const int part : which) {
    const double value = parts[static_cast<std::size_t>(part)].value;
    if (std::isnan(value)) continue;
    sum += value;
    ++count;
  }
  return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / count;
}

POSEMACHINE_INLINE void finish_result(MetricResult& result, const std::vector<JointGroup>& groups) {
  std::vector<int> all;
  for (std::size_t part = 0; part < result.parts.size(); ++part) all.push_back(static_cast<int>(part));
  for (const JointGroup& group : groups) result.groups.push_back({group.name, mean_of(result.parts, group.joints)});
  result.mean = mean_of(result.parts, all);
}

POSEMACHINE_INLINE MetricResult rates(int people, std::vector<int> counted, std::vector<int> right,
                                      const std::vector<std::string>& names, const std::vector<JointGroup>& groups) {
  MetricResult result;
  result.people = people;
  long long all_counted = 0, all_right = 0;
  for (std::size_t part = 0; part < names.size(); ++part) {
    const double rate =
        counted[part] > 0 ? 100.0 * right[part] / counted[part] : std::numeric_limits<double>::quiet_NaN();
    result.parts.push_back({names[part], rate});
    all_counted += counted[part];
    all_right += right[part];
  }
  if (all_counted > 0) result.pooled = 100.0 * static_cast<double>(all_right) / static_cast<double>(all_counted);
  result.counted = std::move(counted);
  result.right = std::move(right);
  finish_result(result, groups);
  return result;
}

POSEMACHINE_INLINE bool has_labelled_joint(const MeasuredPerson& person) {
  for (const Joint& joint : person.truth) {
    if (joint.is_labelled()) return true;
  }
  return false;
}

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
