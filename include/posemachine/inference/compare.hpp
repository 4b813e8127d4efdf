// compare: gain and cost of each way of estimating with a model.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/estimate.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/model/model.hpp>

#include <span>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A way of estimating with a model.
struct EstimationVariant {
  std::string name;
  EstimatorOptions options;
};

/// A variant's figures, and the time it took.
struct VariantResult {
  EstimationVariant variant;
  EvaluationResult evaluation;
  double median_seconds = 0;  // per person, without reading the photograph; NaN where there were too few to time
};

/// The model as it is, then each thing that may be chosen when it is used: flip averaging, every decoder, a second pass
/// and the scales 0.7, 0.8 ... 1.3 (Wei et al., Convolutional Pose Machines, 2016).
std::vector<EstimationVariant> estimation_variants();

/// Evaluates a model by every variant, in their order. Figures are those of evaluate() with the variant's options. All
/// variants estimate one photograph before any estimates the next, so that a machine that is busy for a while slows
/// them down alike; times are of one thread, while EvaluateOptions::threads photographs are under way.
/// Each thread keeps an execution per variant: the memory of threads x variants of them. Errors: UsageError for no
/// variants; as evaluate() and Estimator.
std::vector<VariantResult> compare(const Model& model, std::span<const Person> people,
                                   const std::vector<EstimationVariant>& variants, const EvaluateOptions& options = {});

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/inference/compare.ipp>
#endif
