// The definitions of inference/calibrate.hpp.
#pragma once

#include <posemachine/inference/calibrate.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/pose/metrics/normaliser.hpp>
#include <posemachine/pose/metrics/pck.hpp>
#include <posemachine/pose/pose.hpp>

#include <algorithm>
#include <cstddef>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE const Metric& first_pck(const EvaluationResult& result) {
  const auto found = std::find_if(result.metrics.begin(), result.metrics.end(),
                                  [](const Metric& metric) { return metric.key == pck_kind.name; });
  if (found != result.metrics.end() && found->threshold) return *found;
  fail<UsageError>({.where = "calibrate", .expected = "an evaluation of PCK", .got = "one of other metrics"});
}

// The mean probability that all but a hundredth of the people reach.
POSEMACHINE_INLINE double low_mean_score(const EvaluationResult& result, const Calibration& calibration) {
  std::vector<double> means;
  for (Keypoints keypoints : result.estimates.back()) {
    if (keypoints.empty()) continue;  // of a damaged photograph
    for (Keypoint& keypoint : keypoints) keypoint.score = calibration(keypoint.score);
    means.push_back(mean_score(keypoints));
  }
  if (means.empty()) return 0;
  const auto low = means.begin() + static_cast<std::ptrdiff_t>((means.size() - 1) / 100);
  std::nth_element(means.begin(), low, means.end());
  return *low;
}

}  // namespace detail

POSEMACHINE_INLINE std::vector<JudgedPeak> judged_peaks(const EvaluationResult& result, const JointSet& joints) {
  const Metric& pck = detail::first_pck(result);
  std::vector<MeasuredPerson> people;
  std::vector<Keypoints> estimates;
  for (std::size_t i = 0; i < result.measured.size(); ++i) {
    if (result.estimates.back()[i].empty()) continue;  // of a damaged photograph
    people.push_back(result.measured[i]);
    estimates.push_back(result.estimates.back()[i]);
  }
  std::vector<JudgedPeak> judged;
  detail::judge_joints(joints, normaliser_from(pck.normaliser, joints, "calibrate"), *pck.threshold, people, estimates,
                       [&](std::size_t person, std::size_t joint, bool right) {
                         judged.push_back({estimates[person][joint].score, right});
                       });
  return judged;
}

POSEMACHINE_INLINE std::optional<Calibration> calibrate(const EvaluationResult& result, const JointSet& joints) {
  std::optional<Calibration> calibration = fit_calibration(judged_peaks(result, joints));
  if (!calibration) return calibration;
  calibration->metric = detail::first_pck(result).name;
  calibration->person = detail::low_mean_score(result, *calibration);
  return calibration;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
