// The definitions of inference/compare.hpp.
#pragma once

#include <posemachine/inference/compare.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/pose/decoders/decoder_kind.hpp>
#include <posemachine/pose/decoders/decoders.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE std::vector<EstimationVariant> estimation_variants() {
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

POSEMACHINE_INLINE std::vector<VariantResult> compare(const Model& model, std::span<const Person> people,
                                                      const std::vector<EstimationVariant>& variants,
                                                      const EvaluateOptions& options) {
  if (variants.empty()) fail<UsageError>({.where = "compare", .expected = "at least one variant", .got = "none"});
  std::vector<Estimator> estimators;
  for (const EstimationVariant& variant : variants) {
    EstimatorOptions chosen = variant.options;
    chosen.decode_outputs = false;
    estimators.push_back(estimators.empty() ? Estimator(model, chosen) : estimators.front().with(chosen));
  }
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

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
