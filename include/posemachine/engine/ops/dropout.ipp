// The definitions of engine/ops/dropout.hpp.
#pragma once

#include <posemachine/engine/ops/dropout.hpp>

#include <posemachine/core/random.hpp>
#include <posemachine/engine/ops/map_kernel.hpp>

#include <cstddef>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

POSEMACHINE_INLINE void drop(const MapView<float>& src, const MapView<float>& dst, double rate, const RandomKey& key,
                             std::uint64_t node) {
  const auto scale = static_cast<float>(1 / (1 - rate));
  for (int image = 0; image < src.n; ++image) {
    RandomStream stream(key.seed, Purpose::dropout, key.step, key.first_sample + static_cast<std::uint64_t>(image),
                        node);
    for (int c = 0; c < src.c; ++c) {
      const float* in = src.channel(image, c);
      float* out = dst.channel(image, c);
      for (std::size_t cell = 0; cell < src.cells(); ++cell) {
        const bool keep = stream.uniform() >= rate;
        out[cell * dst.cell_step()] = keep ? in[cell * src.cell_step()] * scale : 0.0f;
      }
    }
  }
  zero_padding(dst);
}

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_dropout(const BuildContext& context) {
  const bool backward = context.node().op == &dropout_backward_op;
  int drawn = backward ? context.node().forward : context.step->node;
  const Node& forward = context.graph().nodes[static_cast<std::size_t>(drawn)];
  if (forward.repeats >= 0) drawn = forward.repeats;
  const auto node = static_cast<std::uint64_t>(drawn);
  const double rate = context.training() ? unpack<DropoutOptions>(context.node().options).percent / 100.0 : 0.0;
  return map_kernel<1>(
      context, "posemachine:dropout",
      [=](const auto& srcs, const MapView<float>& to, const RandomKey& key) { drop(srcs[0], to, rate, key, node); });
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
