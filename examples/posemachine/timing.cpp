// Images and figures of executions that are timed.
#include "timing.hpp"

#include <posemachine/core/random.hpp>
#include <posemachine/engine/measure_costs.hpp>
#include <posemachine/engine/tuning_file.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace pm = posemachine;

namespace tool {

void add_timing_options(CLI::App& command, TimingArguments& arguments) {
  command.add_option("--size", arguments.size,
                     "Input in pixels, HEIGHTxWIDTH or one number; default: the network's own");
  command.add_option("--threads", arguments.threads, "Threads, of oneDNN and ours")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command
      .add_option("--tuning", arguments.tuning, "A file of posemachine tune: what layouts and methods are chosen by")
      ->option_text("FILE");
  command.add_option("--runs", arguments.runs, "Runs that are timed, after two that are not")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
}

std::shared_ptr<const pm::schedule::CostModel> tuning_of(const TimingArguments& arguments) {
  if (arguments.tuning.empty()) return nullptr;
  return std::make_shared<const pm::schedule::CostModel>(pm::engine::read_tuning(arguments.tuning));
}

void warn_if_not_tuned(const TimingArguments& arguments, const pm::schedule::CostModel* costs, const pm::Graph& graph,
                       pm::Size size, int threads, const Context& context) {
  if (costs == nullptr) return;
  const std::vector<pm::schedule::ConvolutionCase> cases = pm::engine::convolution_cases(graph, size);
  const bool known = std::any_of(cases.begin(), cases.end(), [&](const pm::schedule::ConvolutionCase& which) {
    return costs->measured().contains({which, threads});
  });
  if (known || cases.empty()) return;
  context.warn(format("%s holds none of this network's convolutions at %d x %d with %d thread%s: estimates are used",
                      arguments.tuning.c_str(), size.height, size.width, threads, threads == 1 ? "" : "s"));
}

void RandomImages::draw() {
  constexpr std::size_t turns = 4;
  for (std::size_t turn = 0; turn < turns; ++turn) {
    images_.emplace_back();
    for (std::size_t i = 0; i < floats_.size(); ++i) {
      std::vector<float> values(floats_[i]);
      pm::RandomStream stream(1, pm::Purpose::test, turn, i);
      for (float& value : values) value = static_cast<float>(stream.uniform(-0.5, 0.5));
      images_.back().push_back(std::move(values));
    }
  }
}

double quantile(std::vector<double> numbers, double share) {
  std::sort(numbers.begin(), numbers.end());
  const double at = share * static_cast<double>(numbers.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(at));
  const std::size_t above = std::min(below + 1, numbers.size() - 1);
  return std::lerp(numbers[below], numbers[above], at - static_cast<double>(below));
}

}  // namespace tool
