// choose_winograd: dense 3x3 convolutions by Winograd's algorithm, where it is faster.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/op_info.hpp>
#include <posemachine/schedule/cost_model.hpp>
#include <posemachine/schedule/pass.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <cstddef>

namespace posemachine::inline POSEMACHINE_BUILD {

/// For inference: it rounds somewhat more (2.5e-6 of the largest value at most where it was measured). A convolution
/// for which oneDNN has no such kernel (ragged channels) stays direct.
/// Source: Lavin and Gray 2016.
inline void choose_winograd(Schedule& schedule, const PassContext& context = {}) {
  if (schedule.mode != Mode::inference || !schedule.device.blocked || !schedule.device.winograd) return;
  for (Step& step : schedule.steps) {
    if (step.kind() != OpKind::convolution) continue;
    const bool blocked = schedule.value(schedule.src(step, 0)).layout == Layout::blocked &&
                         schedule.value(step.dst).layout == Layout::blocked;
    if (!blocked) continue;
    const MethodTimes times = context.convolution(convolution_case(schedule, step));
    const bool faster = times[static_cast<std::size_t>(ConvolutionMethod::winograd)] <
                        times[static_cast<std::size_t>(ConvolutionMethod::direct)];
    step.algorithm = faster ? Algorithm::winograd : Algorithm::direct;
  }
}

inline constexpr SchedulePass choose_winograd_pass{
    .name = "choose_winograd",
    .does = "dense 3 x 3 convolutions by Winograd's algorithm, where that is faster",
    .run = choose_winograd,
    .after = {"choose_layouts"},
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
