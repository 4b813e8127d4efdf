// Expected calibration error: how far scores are from the share of joints that are right.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/model/joint_set.hpp>
#include <posemachine/pose/metrics/metric.hpp>
#include <posemachine/pose/metrics/normaliser.hpp>
#include <posemachine/pose/metrics/pck.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Joints by their scores, in ten bins of equal width.
class ScoreBins {
 public:
  struct Bin {
    int count = 0;
    int right = 0;
    double score = 0;  // sum
  };

  /// Shapes: a score below 0 counts as 0, one above 1 as 1.
  void add(double score, bool right) {
    const double held = std::clamp(score, 0.0, 1.0);
    Bin& bin = bins_[std::min(bins_.size() - 1, static_cast<std::size_t>(held * double(bins_.size())))];
    ++bin.count;
    bin.right += right ? 1 : 0;
    bin.score += held;
  }

  const std::array<Bin, 10>& bins() const { return bins_; }
  int count() const { return total(&Bin::count); }
  int right() const { return total(&Bin::right); }

  /// In percent: |mean score - share of right ones| of each bin, weighted by its joints. NaN without joints.
  double error() const {
    double sum = 0;
    for (const Bin& bin : bins_) sum += std::abs(bin.score - bin.right);
    return 100 * sum / count();
  }

 private:
  int total(int Bin::* part) const {
    int sum = 0;
    for (const Bin& bin : bins_) sum += bin.*part;
    return sum;
  }

  std::array<Bin, 10> bins_{};
};

namespace detail {

inline MetricResult measure_calibration_error(const JointSet& joints, Normaliser normaliser, double threshold,
                                              std::span<const MeasuredPerson> people,
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

/// Expected calibration error in percent, lower is better: joints are put into ten bins by their scores, and the
/// distance between the mean score and the share of joints that PCK calls right is averaged, weighted by joints. The
/// pooled figure takes all joints together. A joint's own has fewer people per bin, and what too few people add by chance:
/// the joints' mean, weighted by people, is never below the pooled figure.
/// Source: Naeini et al. 2015; Guo et al. 2017.
inline constexpr MetricKind calibration_error_kind{
    .name = "ece",
    .normalisers = "torso, box, head, image",
    .has_threshold = true,
    .does = "expected calibration error: mean distance of scores from the share of right joints, in percent",
    .make = [](MetricSpec spec, const JointSet& joints) {
      auto [metric, normaliser, limit] = detail::share_metric(std::move(spec), joints, "calibration error", 0.2);
      metric.reports_pooled = true;
      metric.measure = [joints, normaliser = normaliser, limit = limit](std::span<const MeasuredPerson> people,
                                                                        std::span<const Keypoints> estimates) {
        return detail::measure_calibration_error(joints, normaliser, limit, people, estimates);
      };
      return metric;
    }};

}  // namespace posemachine::inline POSEMACHINE_BUILD
