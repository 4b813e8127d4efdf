// A network made ready to be timed: what bench and profile share.
#pragma once

#include "tool.hpp"

#include <posemachine/core/geometry.hpp>
#include <posemachine/engine/plan.hpp>
#include <posemachine/model/model.hpp>

#include <CLI/CLI.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace tool {

/// What is timed and how.
struct TimingArguments {
  std::string size;
  int threads = default_threads();
  int batch = 1;
  int runs = 30;
};

void add_timing_options(CLI::App& command, TimingArguments& arguments);

/// A model's plan for inference with different images, used in turn: one alone would stay in the caches.
class TimedPlan {
 public:
  /// Errors: UsageError for a size that the network cannot take.
  TimedPlan(const posemachine::Model& model, const TimingArguments& arguments);

  posemachine::Plan& plan() { return *plan_; }
  posemachine::Size size() const { return size_; }
  /// Seconds from the model in memory to a plan that can run.
  double ready_s() const { return ready_s_; }
  std::size_t weight_bytes() const { return weights_->bytes(); }

  /// Fills the inputs with the next images.
  void next_images();

 private:
  posemachine::Size size_;
  std::shared_ptr<posemachine::PreparedWeights> weights_;
  std::unique_ptr<posemachine::Plan> plan_;
  double ready_s_ = 0;
  std::vector<std::vector<std::vector<float>>> images_;  // by turn, by input
  std::size_t turn_ = 0;
};

/// The middle of some numbers, and the one that `share` of them are not above.
double quantile(std::vector<double> numbers, double share);
inline double median(std::vector<double> numbers) { return quantile(std::move(numbers), 0.5); }

}  // namespace tool
