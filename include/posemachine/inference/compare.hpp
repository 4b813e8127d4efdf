// compare: gain and cost of each way of estimating with a model.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/estimate.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/decoders/decoder_kind.hpp>
#include <posemachine/pose/decoders/decoders.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

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
inline std::vector<EstimationVariant> estimation_variants() {
  std::vector<EstimationVariant> variants{
      {"as the model says", {}}, {"flip off", {.flip_average = false}}, {"flip on", {.flip_average = true}}};
  const DecoderKinds decoders;
  for (const DecoderKind& kind : decoders.all()) {
    variants.push_back({std::string(kind.name), {.decoder = kind}});
  }
  variants.push_back({"second pass", {.second_pass = SecondPass{}}});
  variants.push_back({"scales 0.7 to 1.3", {.scales = {0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3}}});
  return variants;
}

/// Evaluates a model by every variant, in their order. Figures are those of evaluate() with the variant's options. All
/// variants estimate one photograph before any estimates the next, so that a machine that is busy for a while slows
/// them down alike; times are of one thread, while EvaluateOptions::threads photographs are under way.
/// Each thread keeps an execution per variant: the memory of threads x variants of them. Errors: UsageError for no
/// variants; as evaluate() and Estimator.
inline std::vector<VariantResult> compare(const Model& model, std::span<const Person> people,
                                          const std::vector<EstimationVariant>& variants,
                                          const EvaluateOptions& options = {}) {
  if (variants.empty()) fail<UsageError>({.where = "compare", .expected = "at least one variant", .got = "none"});
  const Estimator first(model, variants.front().options);
  std::vector<Estimator> estimators;
  for (const EstimationVariant& variant : variants) estimators.push_back(first.with(variant.options));
  std::vector<detail::TimedEvaluation> evaluations = detail::evaluate_each(estimators, people, options);
  std::vector<VariantResult> results;
  for (std::size_t i = 0; i < variants.size(); ++i) {
    std::vector<double>& seconds = evaluations[i].seconds;
    double median = std::numeric_limits<double>::quiet_NaN();
    if (!seconds.empty()) {
      std::sort(seconds.begin(), seconds.end());
      median = (seconds[(seconds.size() - 1) / 2] + seconds[seconds.size() / 2]) / 2;
    }
    results.push_back({variants[i], std::move(evaluations[i].result), median});
  }
  return results;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
