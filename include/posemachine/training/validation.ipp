// The definitions of training/validation.hpp.
#pragma once

#include <posemachine/training/validation.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/inference/calibrate.hpp>
#include <posemachine/inference/estimate.hpp>
#include <posemachine/pose/metrics/metrics.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/training/constant_pose.hpp>

#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE Validation::Validation(const Model& model, std::vector<Person> people, const Options& options)
    : people_(std::move(people)), options_(options) {
  if (people_.empty()) return;
  const JointSet& joints = model.spec().joints;
  (void)options_.decoders.of(model.spec());
  detail::check_people(people_, joints);
  const std::vector<MeasuredPerson> measured = measured_people(people_);
  detail::check_metrics(default_metrics(joints, measured), measured);
}

POSEMACHINE_INLINE ValidationResult Validation::operator()(const Model& model) const {
  require_people();
  ValidationResult result{.estimator =
                              Estimator(model.with_calibration({}),
                                        {.decoder = options_.decoders.of(model.spec()), .decode_outputs = false})};
  EvaluateOptions options;
  options.threads = options_.threads;
  options.damaged = options_.damaged;
  result.evaluation = evaluate(result.estimator, people_, options);
  result.calibration = calibrate(result.evaluation, model.spec().joints);
  return result;
}

POSEMACHINE_INLINE MetricResult Validation::constant_pose_score(const Model& model, std::span<const Person> trained,
                                                                const LoaderOptions& loader) const {
  require_people();
  const ModelSpec& spec = model.spec();
  const std::vector<Keypoint> pose = constant_pose(trained, spec.joints, loader);
  return measure_constant_pose(pose, people_, metric(spec.joints), spec.crop, loader.input, options_.damaged,
                               spec.frames);
}

POSEMACHINE_INLINE Metric Validation::metric(const JointSet& joints) const {
  require_people();
  return default_metrics(joints, measured_people(people_)).front();
}

POSEMACHINE_INLINE void Validation::require_people() const {
  if (!people_.empty()) return;
  fail<UsageError>({.where = "validation", .expected = "people to validate on", .got = "none"});
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
