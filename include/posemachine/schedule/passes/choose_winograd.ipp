// The definitions of schedule/passes/choose_winograd.hpp.
#pragma once

#include <posemachine/schedule/passes/choose_winograd.hpp>

#include <posemachine/graph/op_info.hpp>
#include <posemachine/schedule/cost_model.hpp>

#include <cstddef>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

POSEMACHINE_INLINE void choose_winograd(Schedule& schedule, const PassContext& context) {
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

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
