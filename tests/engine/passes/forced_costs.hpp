// Costs that leave a plan no choice.
#pragma once

#include <posemachine/engine/costs.hpp>
#include <posemachine/engine/lower.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/convolution.hpp>

#include <cstddef>

namespace engine_test {

/// Every convolution of the graph is best done one way, by far.
inline posemachine::Costs forced_costs(const posemachine::Graph& graph, posemachine::Size image,
                                       posemachine::ConvolutionMethod method, int threads = 1) {
  using namespace posemachine;
  Costs costs;
  const Schedule schedule = lower(graph, 1, image, Mode::inference, 16);
  for (const Step& step : schedule.steps) {
    if (schedule.node(step).op != &convolution_op) continue;
    if (convolution_case(schedule, step).groups > 1) continue;  // blocked in any case
    MethodTimes times{1e9, 1e9, 1e9};
    times[static_cast<std::size_t>(method)] = 1;
    costs.set(convolution_case(schedule, step), threads, times);
  }
  return costs;
}

}  // namespace engine_test
