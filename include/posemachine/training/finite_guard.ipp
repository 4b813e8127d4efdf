// The definitions of training/finite_guard.hpp.
#pragma once

#include <posemachine/training/finite_guard.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/training/optimizers/optimizer_kind.hpp>

#include <algorithm>
#include <cmath>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE FiniteGuard::FiniteGuard(const Graph& graph, NotFinite policy, std::int64_t skipped,
                                            int skipped_in_a_row)
    : graph_(graph), policy_(policy), skipped_(skipped), skipped_in_a_row_(skipped_in_a_row) {}

POSEMACHINE_INLINE void FiniteGuard::keep_statistics(const std::vector<Tensor>& parameters) {
  if (policy_ == NotFinite::stop) return;
  statistics_.resize(parameters.size());
  for (std::size_t id = 0; id < parameters.size(); ++id) {
    if (!graph_.parameters[id].trainable) statistics_[id] = parameters[id].values;
  }
}

POSEMACHINE_INLINE bool FiniteGuard::accepts(const StepNumbers& numbers) {
  constexpr double largest = 1e18;
  const bool finite =
      std::all_of(numbers.losses.begin(), numbers.losses.end(), [](double each) { return std::isfinite(each); });
  return finite && numbers.gradient_norm <= largest;
}

POSEMACHINE_INLINE double FiniteGuard::skip(const StepNumbers& numbers, std::vector<Tensor>& parameters,
                                            std::int64_t step) {
  if (policy_ == NotFinite::stop) fail_not_finite(step, describe_fault(numbers));
  for (std::size_t id = 0; id < parameters.size(); ++id) {
    if (!graph_.parameters[id].trainable) parameters[id].values = statistics_[id];
  }
  ++skipped_;
  if (++skipped_in_a_row_ >= most_skipped_in_a_row) {
    fail_not_finite(step, std::to_string(skipped_in_a_row_) + " steps without them one after another, the last with " +
                              describe_fault(numbers));
  }
  return policy_ == NotFinite::lower ? 0.5 : 1;
}

POSEMACHINE_INLINE void FiniteGuard::require_finite_state(const std::vector<Tensor>& parameters,
                                                          const Optimizer& optimizer, std::int64_t step) const {
  for (std::size_t id = 0; id < parameters.size(); ++id) {
    if (!all_finite(parameters[id].values)) fail_not_finite(step, "a weight that is not finite, of " + name(id));
    for (const OptimizerState& each : optimizer.state()) {
      if (!all_finite(each.values[id])) {
        fail_not_finite(step, "an optimiser's moment that is not finite, of " + name(id));
      }
    }
  }
}

POSEMACHINE_INLINE bool FiniteGuard::all_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

POSEMACHINE_INLINE std::string FiniteGuard::describe_fault(const StepNumbers& numbers) const {
  for (std::size_t output = 0; output < numbers.losses.size(); ++output) {
    if (!std::isfinite(numbers.losses[output])) {
      return "a loss that is not finite, of the output " + output_name(graph_, output);
    }
  }
  for (std::size_t id = 0; id < numbers.gradients.size(); ++id) {
    if (!all_finite(numbers.gradients[id].values)) return "a gradient that is not finite, of " + name(id);
  }
  return "a gradient that is too large to be squared (its length is " + std::to_string(numbers.gradient_norm) + ")";
}

POSEMACHINE_INLINE void FiniteGuard::fail_not_finite(std::int64_t step, const std::string& what) {
  fail<RuntimeFailure>(
      {.where = "training, step " + std::to_string(step + 1),
       .expected = "finite numbers",
       .got = what,
       .remedy = "start another run with a lower rate or a longer warm-up; the last checkpoint is kept"});
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
