// map_kernel: a loop of our own over the maps of a step, bound to where they lie.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/engine/loop_kernel.hpp>
#include <posemachine/engine/ops/copy_channels.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {
namespace detail {

/// compute(srcs, dst, key), with the step's first Inputs srcs.
template <std::size_t Inputs, class Compute>
std::unique_ptr<Kernel> map_kernel(const BuildContext& context, std::string name, Compute compute) {
  std::array<int, Inputs> srcs{};
  for (std::size_t i = 0; i < Inputs; ++i) srcs[i] = context.schedule->src(*context.step, static_cast<int>(i));
  const int dst = context.step->dst;
  auto kernel = std::make_unique<LoopKernel>([=](const Binding& binding) -> LoopKernel::Loop {
    const auto map = [&](int id) { return MapView<float>(binding.schedule->value(id), binding.floats(id)); };
    std::array<MapView<float>, Inputs> maps;
    for (std::size_t i = 0; i < Inputs; ++i) maps[i] = map(srcs[i]);
    return [maps, to = map(dst), compute](const RandomKey& key) { compute(maps, to, key); };
  });
  kernel->implementation = std::move(name);
  return kernel;
}

/// The channels behind a map's last one, up to a whole block, as every primitive expects them.
inline void zero_padding(const MapView<float>& map) {
  for (int image = 0; image < map.n; ++image) {
    for (int c = map.c; c < map.padded_channels(); ++c) {
      float* out = map.channel(image, c);
      for (std::size_t cell = 0; cell < map.cells(); ++cell) out[cell * map.cell_step()] = 0.0f;
    }
  }
}

}  // namespace detail
}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
