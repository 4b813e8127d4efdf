// Expected calibration error: how far scores are from the share of joints that are right.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/metric.hpp>
#include <posemachine/pose/metrics/normaliser.hpp>

#include <array>
#include <span>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Joints by their scores, in ten bins of equal width.
class ScoreBins {
 public:
  struct Bin {
    int count = 0;
    int right = 0;
    double score = 0;  // sum
  };

  /// Shapes: a score below 0 counts as 0, one above 1 as 1.
  void add(double score, bool right);

  const std::array<Bin, 10>& bins() const { return bins_; }
  int count() const { return total(&Bin::count); }
  int right() const { return total(&Bin::right); }

  /// In percent: |mean score - share of right ones| of each bin, weighted by its joints. NaN without joints.
  double error() const;

 private:
  int total(int Bin::* part) const;

  std::array<Bin, 10> bins_{};
};

namespace detail {

MetricResult measure_calibration_error(const JointSet& joints, Normaliser normaliser, double threshold,
                                       std::span<const MeasuredPerson> people, std::span<const Keypoints> estimates);

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
      detail::ShareMetric made = detail::share_metric(std::move(spec), joints, "calibration error", 0.2);
      made.metric.reports_pooled = true;
      made.metric.measure = [joints, normaliser = made.normaliser, limit = made.threshold](
                                std::span<const MeasuredPerson> people, std::span<const Keypoints> estimates) {
        return detail::measure_calibration_error(joints, normaliser, limit, people, estimates);
      };
      return std::move(made.metric);
    }};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/metrics/calibration_error.ipp>
#endif
