// The definitions of pose/metrics/pcp.hpp.
#pragma once

#include <posemachine/pose/metrics/pcp.hpp>

#include <algorithm>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE bool is_labelled(const Stick& stick, const MeasuredPerson& person) {
  const auto joint_is = [&](int joint) { return person.truth[static_cast<std::size_t>(joint)].is_labelled(); };
  return std::all_of(stick.from.begin(), stick.from.end(), joint_is) &&
         std::all_of(stick.to.begin(), stick.to.end(), joint_is);
}

POSEMACHINE_INLINE bool is_right(const Stick& stick, PcpRule rule, double threshold, const MeasuredPerson& person,
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

POSEMACHINE_INLINE MetricResult measure_pcp(const JointSet& joints, PcpRule rule, double threshold,
                                            std::span<const MeasuredPerson> people,
                                            std::span<const Keypoints> estimates) {
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

POSEMACHINE_INLINE Metric make_pcp(MetricSpec spec, const JointSet& joints, PcpRule rule) {
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

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
