// calibrate: what a model's scores are worth, from an evaluation of it.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/pose/calibration.hpp>
#include <posemachine/pose/fit_calibration.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/metric.hpp>

#include <optional>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The last stage's scores of all labelled joints, and which of them are right by the evaluation's first PCK.
/// Errors: UsageError where no PCK was measured.
std::vector<JudgedPeak> judged_peaks(const EvaluationResult& result, const JointSet& joints);

/// The calibration of the last stage's scores, by the evaluation's first PCK; none where fit_calibration() finds none.
/// Give people whom the model was not trained on, of whom an estimator of a model without a calibration was evaluated:
/// scores are taken for the peaks of maps. Errors: UsageError where no PCK was measured.
std::optional<Calibration> calibrate(const EvaluationResult& result, const JointSet& joints);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/inference/calibrate.ipp>
#endif
