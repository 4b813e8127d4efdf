// choose_winograd: dense 3x3 convolutions by Winograd's algorithm, where it is faster.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/schedule.hpp>
#include <posemachine/graph/ops/convolution.hpp>

namespace posemachine::inline POSEMACHINE_BUILD {

/// For inference: it rounds somewhat more (2.5e-6 of the largest value at most where it was measured). A convolution
/// for which oneDNN has no such kernel (ragged channels, AVX2, 3.x) stays direct. Source: Lavin and Gray 2016.
/// The rule, measured on oneDNN 2.6.3 with AVX-512, 32 to 256 channels and maps of 8 to 92 cells a side: with one
/// thread 1.4 to 2.7 times faster throughout; with two 1.2 to 2.6 times from 16 x 16 on in nearly all cases, and up to
/// 3.4 times slower at 8 x 8, where a thread gets too little to do. What was not measured stays direct.
inline void choose_winograd(Schedule& schedule, int threads) {
  if (schedule.mode != Mode::inference) return;
  for (Step& step : schedule.steps) {
    const Node& node = schedule.node(step);
    if (node.op != &convolution_op) continue;
    const auto options = unpack<ConvolutionOptions>(node.options);
    const bool dense = options.kernel == 3 && options.stride == 1 && options.dilation == 1 && options.groups == 1;
    const ScheduledValue& src = schedule.value(schedule.src(step, 0));
    const ScheduledValue& dst = schedule.value(step.dst);
    constexpr int least_channels = 32;
    constexpr int least_cells = 16 * 16;  // with several threads
    const bool enough = threads == 1 || dst.h * dst.w >= least_cells;
    step.winograd = dense && enough && src.c >= least_channels && dst.c >= least_channels;
  }
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
