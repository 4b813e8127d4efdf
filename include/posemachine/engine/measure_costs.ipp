// The definitions of engine/measure_costs.hpp.
#pragma once

#include <posemachine/engine/measure_costs.hpp>

#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/device.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/engine/program_step.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/ops/activation.hpp>
#include <posemachine/graph/ops/convolution.hpp>
#include <posemachine/graph/ops/input.hpp>
#include <posemachine/graph/ops/pooling.hpp>
#include <posemachine/schedule/make_schedule.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

// One convolution by itself, done one way.
class TimedConvolution {
 public:
  TimedConvolution(const schedule::ConvolutionCase& which, schedule::ConvolutionMethod method, int threads) {
    Graph graph;
    // Behind an activation: blocked however few the channels are, as inside a network.
    const Value src = relu(graph, add_input(graph, "src", which.in));
    const Value dst = convolution(graph, src,
                                  {.out = which.out,
                                   .kernel = which.kernel,
                                   .stride = which.stride,
                                   .dilation = which.dilation,
                                   .padding = which.padding,
                                   .groups = which.groups});
    add_output(graph, "mean", global_average_pool(graph, relu(graph, dst)));  // no copy of dst to the caller
    std::vector<Tensor> parameters;
    for (const Parameter& parameter : graph.parameters) {
      parameters.emplace_back(Shape(parameter.extents.begin(), parameter.extents.begin() + parameter.rank), 0.01f);
    }
    constexpr double far_more = 1e12;  // ns, than any move
    schedule::MethodTimes times{far_more, far_more, far_more};
    times[static_cast<std::size_t>(method)] = 1;
    auto costs = std::make_shared<schedule::CostModel>();
    costs->set(which, threads, times);
    ProgramOptions options;
    options.image = {which.height, which.width};
    options.threads = threads;
    options.costs = std::move(costs);
    execution_ = std::make_unique<Execution>(
        std::move(graph),
        std::make_shared<PreparedWeights>(std::make_shared<const std::vector<Tensor>>(std::move(parameters))), options);
    const std::vector<ProgramStep> steps = execution_->steps();
    seconds_.resize(steps.size());
    const auto found = std::find_if(steps.begin(), steps.end(),
                                    [](const ProgramStep& step) { return step.operation.starts_with("convolution"); });
    step_ = static_cast<std::size_t>(found - steps.begin());
    const bool winograd = found->implementation.find("wino") != std::string::npos;
    const bool channels_last = found->layout == layout_name(Layout::channels_last);
    is_done_so_ = winograd == (method == schedule::ConvolutionMethod::winograd) &&
                  channels_last == (method == schedule::ConvolutionMethod::channels_last) &&
                  (method == schedule::ConvolutionMethod::direct || !is_reference(found->implementation));
    std::ranges::fill(execution_->input("src"), 0.5f);
  }

  /// False where oneDNN has no such kernel for it.
  bool is_done_so() const { return is_done_so_; }

  /// Runs once. Returns ns.
  double run() {
    execution_->run_timed(seconds_);
    return 1e9 * seconds_[step_];
  }

 private:
  std::unique_ptr<Execution> execution_;
  std::vector<double> seconds_;
  std::size_t step_ = 0;
  bool is_done_so_ = false;
};

POSEMACHINE_INLINE std::optional<schedule::MethodTimes> measure(const schedule::ConvolutionCase& which, int threads) {
  std::array<std::optional<TimedConvolution>, schedule::convolution_methods.size()> ways;
  std::array<std::vector<double>, schedule::convolution_methods.size()> times;
  for (std::size_t i = 0; i < ways.size(); ++i) {
    ways[i].emplace(which, schedule::convolution_methods[i], threads);
    if (ways[i]->is_done_so()) ways[i]->run();  // once untimed
  }
  constexpr int most_turns = 41;
  constexpr int least_turns = 5;
  constexpr auto enough = std::chrono::milliseconds(150);
  const auto begin = std::chrono::steady_clock::now();
  for (int turn = 0; turn < most_turns; ++turn) {
    if (turn >= least_turns && std::chrono::steady_clock::now() - begin > enough) break;
    for (std::size_t i = 0; i < ways.size(); ++i) {
      if (ways[i]->is_done_so()) times[i].push_back(ways[i]->run());
    }
  }
  schedule::MethodTimes found{schedule::CostModel::never, schedule::CostModel::never, schedule::CostModel::never};
  for (std::size_t i = 0; i < ways.size(); ++i) {
    if (times[i].empty()) continue;
    std::sort(times[i].begin(), times[i].end());
    found[i] = times[i].front();
    constexpr double jitter_ns = 20'000;
    if (times[i][times[i].size() / 2] > 2 * found[i] + jitter_ns) return std::nullopt;
  }
  return found;
}

}  // namespace detail

POSEMACHINE_INLINE std::vector<schedule::ConvolutionCase> convolution_cases(const Graph& graph, Size image) {
  const schedule::Schedule schedule =
      schedule::make_schedule(graph, 1, image, schedule::Mode::inference, Device::cpu().capabilities());
  std::vector<schedule::ConvolutionCase> cases;
  for (const schedule::Step& step : schedule.steps) {
    if (step.kind() != OpKind::convolution) continue;
    if (schedule.value(schedule.src(step, 0)).layout == Layout::plain) continue;
    const schedule::ConvolutionCase which = schedule::convolution_case(schedule, step);
    if (which.groups == 1 && std::find(cases.begin(), cases.end(), which) == cases.end()) cases.push_back(which);
  }
  return cases;
}

POSEMACHINE_INLINE int measure_costs(schedule::CostModel& costs, const Graph& graph, Size image, int threads,
                                     const std::function<void(int, int)>& before_each) {
  const std::vector<schedule::ConvolutionCase> cases = convolution_cases(graph, image);
  int done = 0;
  int disturbed = 0;
  for (const schedule::ConvolutionCase& which : cases) {
    if (before_each) before_each(done++, static_cast<int>(cases.size()));
    if (costs.measured().contains({which, threads})) continue;
    std::optional<schedule::MethodTimes> times;
    for (int attempt = 0; attempt < 3 && !times; ++attempt) times = detail::measure(which, threads);
    if (times) {
      costs.set(which, threads, *times);
    } else {
      ++disturbed;
    }
  }
  return disturbed;
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
