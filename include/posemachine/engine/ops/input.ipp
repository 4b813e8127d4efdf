// The definitions of engine/ops/input.hpp.
#pragma once

#include <posemachine/engine/ops/input.hpp>

#include <posemachine/engine/loop_kernel.hpp>
#include <posemachine/engine/ops/copy_channels.hpp>

#include <cstddef>
#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_input(const BuildContext& context) {
  const int dst = context.step->dst;
  auto kernel = std::make_unique<LoopKernel>([dst](const Binding& binding) -> LoopKernel::Loop {
    const schedule::ScheduledValue& value = binding.schedule->value(dst);
    if (value.external) return [](const RandomKey&) {};
    const MapView<float> target(value, binding.floats(dst));
    std::byte* const* given = &(*binding.externals)[static_cast<std::size_t>(dst)];
    return [given, target](const RandomKey&) {
      const MapView<float> plain(target.plain(), reinterpret_cast<float*>(*given));
      copy_channels(plain, 0, target, 0, target.c);
    };
  });
  kernel->implementation = "posemachine:input";
  const schedule::ScheduledValue& value = context.dst();
  if (!value.external) kernel->moved_bytes = static_cast<std::int64_t>(value.plain().bytes() + value.bytes());
  return kernel;
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
