// Validation: the people that a run is judged by, and how.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/loader.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/calibration.hpp>
#include <posemachine/pose/decoders/decoders.hpp>
#include <posemachine/pose/metrics/metric.hpp>

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The outcome of a validation.
struct ValidationResult {
  Estimator estimator;  // of the network that was validated; its scores are peaks of maps
  EvaluationResult evaluation{};
  std::optional<Calibration> calibration{};  // of the scores; none where they tell too little
};

/// People who are not trained on, none included. Models are those of one run: of one spec.
class Validation {
 public:
  struct Options {
    int threads = 1;                           // as EvaluateOptions
    DecoderKinds decoders{};                   // that the model may name
    std::shared_ptr<DamagedImages> damaged{};  // as EvaluateOptions
  };

  /// Errors: as evaluate() of `model`, but for what only the photographs tell; UsageError or ModelError for a decoder
  /// that is none of the options'.
  Validation(const Model& model, std::vector<Person> people, const Options& options);

  bool empty() const { return people_.empty(); }
  const std::vector<Person>& people() const { return people_; }

  /// Errors: as evaluate(); UsageError where there are no people.
  ValidationResult operator()(const Model& model) const;

  /// The metric that a model of these joints is judged by, with its threshold and normaliser. Errors: UsageError where
  /// there are no people.
  Metric metric(const JointSet& joints) const;

  /// What a network would have that answers every crop with the pose that is most frequent among the people `trained`:
  /// one below it has learnt nothing. `loader`: of their crops. Errors: UsageError where there are no people; DataError
  /// for a photograph that cannot be used.
  MetricResult constant_pose_score(const Model& model, std::span<const Person> trained,
                                   const LoaderOptions& loader) const;

 private:
  void require_people() const;

  std::vector<Person> people_;
  Options options_;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/validation.ipp>
#endif
