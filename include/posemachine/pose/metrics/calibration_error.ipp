// The definitions of pose/metrics/calibration_error.hpp.
#pragma once

#include <posemachine/pose/metrics/calibration_error.hpp>

#include <posemachine/pose/metrics/pck.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE void ScoreBins::add(double score, bool right) {
  const double held = std::clamp(score, 0.0, 1.0);
  Bin& bin = bins_[std::min(bins_.size() - 1, static_cast<std::size_t>(held * double(bins_.size())))];
  ++bin.count;
  bin.right += right ? 1 : 0;
  bin.score += held;
}

POSEMACHINE_INLINE double ScoreBins::error() const {
  double sum = 0;
  for (const Bin& bin : bins_) sum += std::abs(bin.score - bin.right);
  return 100 * sum / count();
}

POSEMACHINE_INLINE int ScoreBins::total(int Bin::* part) const {
  int sum = 0;
  for (const Bin& bin : bins_) sum += bin.*part;
  return sum;
}

namespace detail {

POSEMACHINE_INLINE MetricResult measure_calibration_error(const JointSet& joints, Normaliser normaliser,
                                                          double threshold, std::span<const MeasuredPerson> people,
                                                          std::span<const Keypoints> estimates) {
  std::vector<ScoreBins> by_joint(joints.joints.size());
  ScoreBins all;
  MetricResult result;
  result.people = judge_joints(joints, normaliser, threshold, people, estimates,
                               [&](std::size_t person, std::size_t joint, bool right) {
                                 by_joint[joint].add(estimates[person][joint].score, right);
                                 all.add(estimates[person][joint].score, right);
                               });
  for (std::size_t j = 0; j < by_joint.size(); ++j) {
    result.counted.push_back(by_joint[j].count());
    result.right.push_back(by_joint[j].right());
    result.parts.push_back({joints.joints[j], by_joint[j].error()});
  }
  result.pooled = all.error();
  finish_result(result, joints.groups);
  return result;
}

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
