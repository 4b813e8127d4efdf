// FiniteGuard: what becomes of training steps whose numbers are not finite.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/training/optimizer.hpp>
#include <posemachine/training/train_options.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

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

  FiniteGuard(const Graph& graph, NotFinite policy, std::int64_t skipped, int skipped_in_a_row);

  std::int64_t skipped() const { return skipped_; }
  int skipped_in_a_row() const { return skipped_in_a_row_; }

  /// Before a step, which updates batch norm's running statistics: should it be skipped, they become what they were.
  void keep_statistics(const std::vector<Tensor>& parameters);

  /// Whether weights may be moved. Larger gradients could not be squared in single precision.
  static bool accepts(const StepNumbers& numbers);
  void count_taken() { skipped_in_a_row_ = 0; }

  /// Skips step `step` (from 0) and returns the factor that the rate gets for it. Errors: RuntimeFailure where the
  /// policy is to stop, or most_skipped_in_a_row steps were skipped.
  double skip(const StepNumbers& numbers, std::vector<Tensor>& parameters, std::int64_t step);

  /// After weights were moved: the rate can be too large all the same, and no such weight may reach a checkpoint.
  /// Errors: RuntimeFailure naming the first parameter.
  void require_finite_state(const std::vector<Tensor>& parameters, const Optimizer& optimizer, std::int64_t step) const;

 private:
  static bool all_finite(const std::vector<float>& values);

  std::string name(std::size_t parameter) const { return parameter_name(graph_, static_cast<int>(parameter)); }

  std::string describe_fault(const StepNumbers& numbers) const;

  [[noreturn]] static void fail_not_finite(std::int64_t step, const std::string& what);

  const Graph& graph_;
  NotFinite policy_;
  std::int64_t skipped_ = 0;
  int skipped_in_a_row_ = 0;
  std::vector<std::vector<float>> statistics_;  // batch norm's, before the step under way
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/finite_guard.ipp>
#endif
