// PCP: the share of body parts of which both ends lie where they should.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/model/joint_set.hpp>
#include <posemachine/pose/metrics/metric.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// When PCP calls a stick right.
enum class PcpRule {
  strict,  // both ends within half of the stick's true length
  loose,   // the mean of both ends' errors within half of it: higher, and not comparable with strict
};

namespace detail {

/// The middle of one or two joints of anything that has positions.
template <class Position>
Point middle(const std::vector<int>& joints, Position&& position) {
  Point sum{};
  for (const int joint : joints) sum = sum + position(static_cast<std::size_t>(joint));
  return (1.0 / static_cast<double>(joints.size())) * sum;
}

inline bool is_labelled(const Stick& stick, const MeasuredPerson& person) {
  const auto joint_is = [&](int joint) { return person.truth[static_cast<std::size_t>(joint)].is_labelled(); };
  return std::all_of(stick.from.begin(), stick.from.end(), joint_is) &&
         std::all_of(stick.to.begin(), stick.to.end(), joint_is);
}

inline bool is_right(const Stick& stick, PcpRule rule, double threshold, const MeasuredPerson& person,
                     const Keypoints& estimate) {
  const auto true_position = [&](std::size_t joint) { return person.truth[joint].position; };
  const auto position = [&](std::size_t joint) { return estimate[joint].position; };
  const Point from = middle(stick.from, true_position);
  const Point to = middle(stick.to, true_position);
  // A missing joint is NaN, so its errors are too, and no comparison with them is true.
  const double from_error = distance(middle(stick.from, position), from);
  const double to_error = distance(middle(stick.to, position), to);
  const double allowed = threshold * distance(from, to);
  return rule == PcpRule::strict ? from_error <= allowed && to_error <= allowed
                                 : 0.5 * (from_error + to_error) <= allowed;
}

inline MetricResult measure_pcp(const JointSet& joints, PcpRule rule, double threshold,
                                std::span<const MeasuredPerson> people, std::span<const Keypoints> estimates) {
  check_measured(joints, people, estimates);
  std::vector<int> counted(joints.sticks.size(), 0), right(joints.sticks.size(), 0);
  for (std::size_t i = 0; i < people.size(); ++i) {
    for (std::size_t s = 0; s < joints.sticks.size(); ++s) {
      if (!is_labelled(joints.sticks[s], people[i])) continue;
      ++counted[s];
      right[s] += is_right(joints.sticks[s], rule, threshold, people[i], estimates[i]) ? 1 : 0;
    }
  }
  std::vector<std::string> names;
  std::vector<JointGroup> groups;  // of sticks
  for (std::size_t s = 0; s < joints.sticks.size(); ++s) {
    const std::string& name = joints.sticks[s].group;
    names.push_back(name);
    auto group = std::find_if(groups.begin(), groups.end(), [&](const JointGroup& each) { return each.name == name; });
    if (group == groups.end()) group = groups.insert(groups.end(), JointGroup{name, {}});
    group->joints.push_back(static_cast<int>(s));
  }
  return rates(static_cast<int>(people.size()), std::move(counted), std::move(right), names, groups);
}

inline Metric make_pcp(MetricSpec spec, const JointSet& joints, PcpRule rule) {
  if (joints.sticks.empty()) {
    fail<UsageError>({.where = "metric " + spec.kind,
                      .expected = "a joint set with sticks",
                      .got = "the joint set " + joints.name,
                      .remedy = "add \"sticks\" to the joint set: a group's name, and the joints at either end"});
  }
  const double threshold = threshold_of(spec, 0.5);
  spec.threshold = threshold;
  Metric metric;
  metric.name = to_string(spec);
  metric.key = spec.kind;
  metric.title = rule == PcpRule::strict ? "strict PCP" : "loose PCP";
  metric.heading = metric.title + (threshold == 0.5 ? "" : to_string({"", threshold, ""}));
  metric.threshold = threshold;
  metric.normaliser = "stick";
  metric.needs = "a stick of labelled joints";
  metric.can_measure = [joints](const MeasuredPerson& person) {
    return std::any_of(joints.sticks.begin(), joints.sticks.end(),
                       [&](const Stick& stick) { return is_labelled(stick, person); });
  };
  metric.measure = [joints, rule, threshold](std::span<const MeasuredPerson> people,
                                             std::span<const Keypoints> estimates) {
    return measure_pcp(joints, rule, threshold, people, estimates);
  };
  return metric;
}

}  // namespace detail

/// Percentage of Correct Parts over the joint set's sticks, an end between two joints being their middle: both ends lie
/// within a threshold (0.5) of the stick's true length. Every stick of every person counts whose joints are all
/// labelled; where one was not found it is wrong. A true stick of length 0 leaves only exact hits right. Source:
/// Ferrari et al. 2008; strict and loose as Pishchulin et al. 2012 tell them apart.
inline constexpr MetricKind pcp_strict_kind{.name = "pcp_strict",
                                            .normalisers = "",
                                            .has_threshold = true,
                                            .does = "sticks of which both ends lie within half of the true length",
                                            .make = [](MetricSpec spec, const JointSet& joints) {
                                              return detail::make_pcp(std::move(spec), joints, PcpRule::strict);
                                            }};

/// The same, but that the mean of both ends' errors counts.
inline constexpr MetricKind pcp_loose_kind{
    .name = "pcp_loose",
    .normalisers = "",
    .has_threshold = true,
    .does = "sticks of which the ends' mean error is within half of the true length",
    .make = [](MetricSpec spec, const JointSet& joints) {
      return detail::make_pcp(std::move(spec), joints, PcpRule::loose);
    }};

}  // namespace posemachine::inline POSEMACHINE_BUILD
