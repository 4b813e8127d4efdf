// Plans that are timed.
#include "timed_plan.hpp"

#include "network_source.hpp"

#include <posemachine/core/random.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/graph/graph.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>
#include <utility>

namespace pm = posemachine;

namespace tool {

void add_timing_options(CLI::App& command, TimingArguments& arguments) {
  command.add_option("--size", arguments.size,
                     "Input in pixels, HEIGHTxWIDTH or one number; default: the network's own");
  command.add_option("--threads", arguments.threads, "Threads of one plan")
      ->check(CLI::Range(1, 256))->capture_default_str();
  command.add_option("--batch", arguments.batch, "Images of one run")->check(CLI::Range(1, 256))->capture_default_str();
  command.add_option("--runs", arguments.runs, "Runs that are timed, after two that are not")
      ->check(CLI::Range(1, 100'000))->capture_default_str();
}

TimedPlan::TimedPlan(const pm::Model& model, const TimingArguments& arguments)
    : size_(input_size(model, arguments.size)) {
  const auto begin = std::chrono::steady_clock::now();
  InferenceGraph inference(model);
  weights_ = inference.weights;
  pm::PlanOptions options;
  options.image = size_;
  options.batch = arguments.batch;
  options.threads = arguments.threads;
  plan_ = std::make_unique<pm::Plan>(std::move(inference.graph), weights_, options);
  ready_s_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  constexpr std::size_t turns = 4;
  for (std::size_t turn = 0; turn < turns; ++turn) {
    images_.emplace_back();
    for (const pm::Port& port : plan_->graph().inputs) {
      std::vector<float> values(plan_->input(pm::Value{port.value}).size());
      pm::RandomStream stream(1, pm::Purpose::test, turn, static_cast<std::uint64_t>(port.value));
      for (float& value : values) value = static_cast<float>(stream.uniform(-0.5, 0.5));
      images_.back().push_back(std::move(values));
    }
  }
}

void TimedPlan::next_images() {
  const std::vector<pm::Port>& ports = plan_->graph().inputs;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    std::ranges::copy(images_[turn_][i], plan_->input(pm::Value{ports[i].value}).begin());
  }
  turn_ = (turn_ + 1) % images_.size();
}

double quantile(std::vector<double> numbers, double share) {
  std::sort(numbers.begin(), numbers.end());
  const double at = share * static_cast<double>(numbers.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(at));
  const std::size_t above = std::min(below + 1, numbers.size() - 1);
  return std::lerp(numbers[below], numbers[above], at - static_cast<double>(below));
}

}  // namespace tool
