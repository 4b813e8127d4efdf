// FiniteGuard: what becomes of training steps whose numbers are not finite.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/training/optimizer.hpp>
#include <posemachine/training/optimizers/optimizer_kind.hpp>
#include <posemachine/training/train_options.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// What the forward and backward pass of a step gave.
struct StepNumbers {
  std::span<const double> losses;        // by output
  const std::vector<Tensor>& gradients;  // by parameter id
  double gradient_norm = 0;
};

/// Judges the numbers of every step before weights are moved by them: a step that is not finite ends the run or is
/// skipped, as the options say, and leaves nothing behind.
class FiniteGuard {
 public:
  /// Skipped steps that one after another end a run whatever the policy is.
  static constexpr int most_skipped_in_a_row = 10;

  FiniteGuard(const Graph& graph, NotFinite policy, std::int64_t skipped, int skipped_in_a_row)
      : graph_(graph), policy_(policy), skipped_(skipped), skipped_in_a_row_(skipped_in_a_row) {}

  std::int64_t skipped() const { return skipped_; }
  int skipped_in_a_row() const { return skipped_in_a_row_; }

  /// Before a step, which updates batch norm's running statistics: should it be skipped, they become what they were.
  void keep_statistics(const std::vector<Tensor>& parameters) {
    if (policy_ == NotFinite::stop) return;
    statistics_.resize(parameters.size());
    for (std::size_t id = 0; id < parameters.size(); ++id) {
      if (!graph_.parameters[id].trainable) statistics_[id] = parameters[id].values;
    }
  }

  /// Whether weights may be moved. Larger gradients could not be squared in single precision.
  static bool accepts(const StepNumbers& numbers) {
    constexpr double largest = 1e18;
    const bool finite =
        std::all_of(numbers.losses.begin(), numbers.losses.end(), [](double each) { return std::isfinite(each); });
    return finite && numbers.gradient_norm <= largest;
  }
  void count_taken() { skipped_in_a_row_ = 0; }

  /// Skips step `step` (from 0) and returns the factor that the rate gets for it. Errors: RuntimeFailure where the
  /// policy is to stop, or most_skipped_in_a_row steps were skipped.
  double skip(const StepNumbers& numbers, std::vector<Tensor>& parameters, std::int64_t step) {
    if (policy_ == NotFinite::stop) fail_not_finite(step, describe_fault(numbers));
    for (std::size_t id = 0; id < parameters.size(); ++id) {
      if (!graph_.parameters[id].trainable) parameters[id].values = statistics_[id];
    }
    ++skipped_;
    if (++skipped_in_a_row_ >= most_skipped_in_a_row) {
      fail_not_finite(step, std::to_string(skipped_in_a_row_) +
                                " steps without them one after another, the last with " + describe_fault(numbers));
    }
    return policy_ == NotFinite::lower ? 0.5 : 1;
  }

  /// After weights were moved: the rate can be too large all the same, and no such weight may reach a checkpoint.
  /// Errors: RuntimeFailure naming the first parameter.
  void require_finite_state(const std::vector<Tensor>& parameters, const Optimizer& optimizer,
                            std::int64_t step) const {
    for (std::size_t id = 0; id < parameters.size(); ++id) {
      if (!all_finite(parameters[id].values)) fail_not_finite(step, "a weight that is not finite, of " + name(id));
      for (const OptimizerState& each : optimizer.state()) {
        if (!all_finite(each.values[id])) {
          fail_not_finite(step, "an optimiser's moment that is not finite, of " + name(id));
        }
      }
    }
  }

 private:
  static bool all_finite(const std::vector<float>& values) {
    return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
  }

  std::string name(std::size_t parameter) const { return parameter_name(graph_, static_cast<int>(parameter)); }

  std::string describe_fault(const StepNumbers& numbers) const {
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

  [[noreturn]] static void fail_not_finite(std::int64_t step, const std::string& what) {
    fail<RuntimeFailure>(
        {.where = "training, step " + std::to_string(step + 1),
         .expected = "finite numbers",
         .got = what,
         .remedy = "start another run with a lower rate or a longer warm-up; the last checkpoint is kept"});
  }

  const Graph& graph_;
  NotFinite policy_;
  std::int64_t skipped_ = 0;
  int skipped_in_a_row_ = 0;
  std::vector<std::vector<float>> statistics_;  // batch norm's, before the step under way
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
