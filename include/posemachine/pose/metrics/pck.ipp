// The definitions of pose/metrics/pck.hpp.
#pragma once

#include <posemachine/pose/metrics/pck.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// `counts` says which joints do.
POSEMACHINE_INLINE MetricResult measure_pck(const JointSet& joints, Normaliser normaliser, double threshold,
                                            const std::vector<bool>& counts, std::span<const MeasuredPerson> people,
                                            std::span<const Keypoints> estimates) {
  std::vector<int> counted(joints.joints.size(), 0), right(joints.joints.size(), 0);
  const int measured = judge_joints(joints, normaliser, threshold, people, estimates,
                                    [&](std::size_t, std::size_t joint, bool is_right) {
                                      if (!counts[joint]) return;
                                      ++counted[joint];
                                      right[joint] += is_right ? 1 : 0;
                                    });
  return rates(measured, std::move(counted), std::move(right), joints.joints, joints.groups);
}

POSEMACHINE_INLINE Metric make_pck(MetricSpec spec, const JointSet& joints, const std::string& title, double threshold,
                                   std::vector<bool> counts) {
  ShareMetric made = share_metric(std::move(spec), joints, title, threshold);
  made.metric.measure = [joints, normaliser = made.normaliser, limit = made.threshold, counts = std::move(counts)](
                            std::span<const MeasuredPerson> people, std::span<const Keypoints> estimates) {
    return measure_pck(joints, normaliser, limit, counts, people, estimates);
  };
  return std::move(made.metric);
}

POSEMACHINE_INLINE std::vector<bool> counting_joints(const JointSet& joints, bool by_head) {
  std::vector<bool> counts(joints.joints.size(), true);
  for (std::size_t j = 0; by_head && j < counts.size(); ++j) {
    counts[j] = joints.joints[j] != "pelvis" && joints.joints[j] != "thorax";
  }
  return counts;
}

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
