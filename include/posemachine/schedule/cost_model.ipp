// The definitions of schedule/cost_model.hpp.
#pragma once

#include <posemachine/schedule/cost_model.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/convolution.hpp>

#include <algorithm>
#include <cstddef>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

POSEMACHINE_INLINE ConvolutionCase convolution_case(const Schedule& schedule, const Step& step) {
  const auto options = unpack<ConvolutionOptions>(schedule.node(step).options);
  const ScheduledValue& src = schedule.value(schedule.src(step, 0));
  return {src.c,           options.out,    options.kernel, options.stride, options.dilation,
          options.padding, options.groups, src.h,          src.w};
}

POSEMACHINE_INLINE MethodTimes CostModel::convolution(const ConvolutionCase& which, int threads) const {
  const auto found = measured_.find({which, threads});
  return found != measured_.end() ? found->second : estimate(which, threads);
}

POSEMACHINE_INLINE void CostModel::set(const ConvolutionCase& which, int threads, const MethodTimes& times) {
  for (const double time : times) {
    if (time >= 0) continue;
    fail<UsageError>({.where = "costs", .expected = "times of at least 0", .got = std::to_string(time)});
  }
  if (times[static_cast<std::size_t>(ConvolutionMethod::direct)] == never) {
    fail<UsageError>({.where = "costs", .expected = "a finite time for the direct method", .got = "none"});
  }
  measured_[{which, threads}] = times;
}

POSEMACHINE_INLINE MethodTimes CostModel::estimate(const ConvolutionCase& which, int threads) {
  const Window window{
      .kernel = which.kernel, .stride = which.stride, .dilation = which.dilation, .padding = which.padding};
  const double cells = static_cast<double>(window.extent(which.height)) * window.extent(which.width);
  const double taps = static_cast<double>(which.kernel) * which.kernel;
  const auto time = [&](int in) {
    return cells * taps * in / which.groups * padded(which.out) / (multiply_adds_per_ns * threads);
  };
  const double direct = time(padded(which.in));
  // Blocked kernels multiply the channels that pad the last block of src too, those on channels last do not.
  const double channels_last = channels_last_share(which) * time(std::max(which.in, 16));
  return {direct, suits_winograd(which, cells, threads) ? winograd_share * direct : never,
          which.groups == 1 ? channels_last : never};
}

POSEMACHINE_INLINE bool CostModel::suits_winograd(const ConvolutionCase& which, double cells, int threads) {
  const bool dense = which.kernel == 3 && which.stride == 1 && which.dilation == 1 && which.groups == 1;
  constexpr int least_channels = 32;
  constexpr double least_cells = 16 * 16;                        // with several threads
  const bool whole = which.in % 16 == 0 && which.out % 16 == 0;  // for ragged channels there is no kernel
  const bool wide = which.in >= least_channels && which.out >= least_channels;
  return dense && whole && wide && (threads == 1 || cells >= least_cells);
}

POSEMACHINE_INLINE double CostModel::channels_last_share(const ConvolutionCase& which) {
  if (which.stride > 1 || which.kernel == 1) return 1;
  const bool narrow = which.out <= 64;
  if (which.kernel == 5 || (narrow && (which.dilation > 1 || (which.kernel > 5 && which.kernel <= 9)))) return 0.94;
  return which.kernel > 5 ? 1.5 : 1;
}

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
