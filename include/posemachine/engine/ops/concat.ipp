// The definitions of engine/ops/concat.hpp.
#pragma once

#include <posemachine/engine/ops/concat.hpp>

#include <posemachine/engine/loop_kernel.hpp>
#include <posemachine/engine/ops/copy_channels.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

struct ChannelCopy {
  int src = 0;  // value ids
  int dst = 0;
  int src_first = 0;
  int dst_first = 0;
  int count = 0;
};

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_copies(const BuildContext& context, std::vector<ChannelCopy> copies) {
  std::size_t bytes = 0;
  for (const ChannelCopy& copy : copies) bytes += context.dst().bytes_of(copy.count);
  auto kernel = std::make_unique<LoopKernel>([copies = std::move(copies)](const Binding& binding) -> LoopKernel::Loop {
    struct Bound {
      MapView<float> src;
      MapView<float> dst;
      ChannelCopy copy;
    };
    std::vector<Bound> bound;
    const schedule::Schedule& schedule = *binding.schedule;
    for (const ChannelCopy& copy : copies) {
      bound.push_back({{schedule.value(copy.src), binding.floats(copy.src)},
                       {schedule.value(copy.dst), binding.floats(copy.dst)},
                       copy});
    }
    return [bound = std::move(bound)](const RandomKey&) {
      for (const Bound& each : bound) {
        copy_channels(each.src, each.copy.src_first, each.dst, each.copy.dst_first, each.copy.count);
      }
    };
  });
  kernel->implementation = "posemachine:copy_channels";
  kernel->moved_bytes = static_cast<std::int64_t>(2 * bytes);
  return kernel;
}

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_concat(const BuildContext& context) {
  std::vector<ChannelCopy> copies;
  int first = 0;
  for (int i = 0; i < context.node().inputs.count; ++i) {
    const int src = context.schedule->src(*context.step, i);
    const int count = context.src(i).c;
    if (!context.schedule->stands_at(src, context.step->dst, first))
      copies.push_back({src, context.step->dst, 0, first, count});
    first += count;
  }
  return make_copies(context, std::move(copies));
}

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_slice(const BuildContext& context) {
  const auto options = unpack<SliceOptions>(context.node().options);
  return make_copies(context,
                     {{context.schedule->src(*context.step, 0), context.step->dst, options.first, 0, options.count}});
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
