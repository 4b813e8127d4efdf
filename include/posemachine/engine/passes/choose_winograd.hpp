// choose_winograd: dense 3x3 convolutions by Winograd's algorithm, where it is faster.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/costs.hpp>
#include <posemachine/engine/schedule.hpp>
#include <posemachine/graph/ops/convolution.hpp>

#include <cstddef>

namespace posemachine::inline POSEMACHINE_BUILD {

/// For inference: it rounds somewhat more (2.5e-6 of the largest value at most where it was measured). A convolution
/// for which oneDNN has no such kernel (ragged channels, AVX2, 3.x) stays direct. To be run after choose_layouts.
/// Source: Lavin and Gray 2016.
inline void choose_winograd(Schedule& schedule, const Costs& costs, int threads) {
  if (schedule.mode != Mode::inference || schedule.block != 16) return;
  for (Step& step : schedule.steps) {
    if (schedule.node(step).op != &convolution_op) continue;
    const bool blocked = schedule.value(schedule.src(step, 0)).layout == Layout::blocked &&
                         schedule.value(step.dst).layout == Layout::blocked;
    if (!blocked) continue;
    const MethodTimes times = costs.convolution(convolution_case(schedule, step), threads);
    step.winograd = times[static_cast<std::size_t>(ConvolutionMethod::winograd)] <
                    times[static_cast<std::size_t>(ConvolutionMethod::direct)];
  }
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
