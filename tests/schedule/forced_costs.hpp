// A cost model that leaves passes no choice.
#pragma once

#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/convolution.hpp>
#include <posemachine/schedule/cost_model.hpp>
#include <posemachine/schedule/make_schedule.hpp>

#include <cstddef>

namespace engine_test {

/// Every convolution of the graph is best done one way, by far.
inline posemachine::schedule::CostModel forced_costs(const posemachine::Graph& graph, posemachine::Size image,
                                                     posemachine::schedule::ConvolutionMethod method, int threads = 1) {
  using namespace posemachine;
  CostModel costs;
  const Schedule schedule = make_schedule(graph, 1, image, Mode::inference);
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
