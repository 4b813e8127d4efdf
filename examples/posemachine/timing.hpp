// What bench and profile share: options, and images for executions that are timed.
#pragma once

#include "tool.hpp"

#include <posemachine/graph/graph.hpp>
#include <posemachine/schedule/cost_model.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tool {

/// What is timed and how.
struct TimingArguments {
  std::string size;
  std::string tuning;
  int threads = default_threads();
  int runs = 30;
};

/// What --tuning names, read; null without it. Says so where it has nothing of a network at that size and number of
/// threads. Errors: DataError naming the file.
std::shared_ptr<const posemachine::schedule::CostModel> tuning_of(const TimingArguments& arguments);
void warn_if_not_tuned(const TimingArguments& arguments, const posemachine::schedule::CostModel* costs,
                       const posemachine::Graph& graph, posemachine::Size size, int threads, const Context& context);

void add_timing_options(CLI::App& command, TimingArguments& arguments);

/// Different images, used in turn: one alone would stay in the caches.
class RandomImages {
 public:
  /// For the inputs of `graph`, with as many floats as an execution's input has.
  template <class AnyExecution>
  explicit RandomImages(AnyExecution& execution) {
    for (const posemachine::Port& port : execution.graph().inputs) {
      values_.push_back(posemachine::Value{port.value});
      floats_.push_back(execution.input(values_.back()).size());
    }
    draw();
  }

  /// Fills the inputs with the next ones.
  template <class AnyExecution>
  void fill_next(AnyExecution& execution) {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      std::ranges::copy(images_[turn_][i], execution.input(values_[i]).begin());
    }
    turn_ = (turn_ + 1) % images_.size();
  }

 private:
  void draw();

  std::vector<posemachine::Value> values_;
  std::vector<std::size_t> floats_;
  std::vector<std::vector<std::vector<float>>> images_;  // by turn, by input
  std::size_t turn_ = 0;
};

/// The middle of some numbers, and the one that `share` of them are not above.
double quantile(std::vector<double> numbers, double share);
inline double median(std::vector<double> numbers) { return quantile(std::move(numbers), 0.5); }

}  // namespace tool
