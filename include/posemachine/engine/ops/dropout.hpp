// The engine's dropout: a loop whose draws depend on seed, step, sample and node alone.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/engine/ops/copy_channels.hpp>
#include <posemachine/engine/runner.hpp>
#include <posemachine/graph/ops/dropout.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

// dst = src / (1 - rate) where the draw of (sample, channel, cell) is at least the rate, else 0.
inline void drop(const MapMemory& src, const MapMemory& dst, double rate, const Draw& draw, std::uint64_t node) {
  const auto scale = static_cast<float>(1 / (1 - rate));
  for (int image = 0; image < src.n; ++image) {
    RandomStream stream(draw.seed, Purpose::dropout, draw.step, draw.first_sample + static_cast<std::uint64_t>(image),
                        node);
    for (int c = 0; c < src.c; ++c) {
      const float* in = src.channel(image, c);
      float* out = dst.channel(image, c);
      for (std::size_t cell = 0; cell < src.cells(); ++cell) {
        const bool keep = stream.uniform() >= rate;
        out[cell * dst.cell_step()] = keep ? in[cell * src.cell_step()] * scale : 0.0f;
      }
    }
    for (std::size_t c = static_cast<std::size_t>(dst.c); c < dst.padded_channels(); ++c) {
      float* out = dst.channel(image, static_cast<int>(c));
      for (std::size_t cell = 0; cell < dst.cells(); ++cell) out[cell * dst.cell_step()] = 0.0f;
    }
  }
}

inline std::unique_ptr<Runner> make_dropout(const BuildContext& context) {
  const int src = context.schedule->src(*context.step, 0);
  const int dst = context.step->dst;
  const bool backward = context.node().op == &dropout_backward_op;
  const auto node = static_cast<std::uint64_t>(backward ? context.node().forward : context.step->node);
  const double rate = context.training() ? unpack<DropoutOptions>(context.node().options).percent / 100.0 : 0.0;
  auto runner = std::make_unique<KernelRunner>([=](const Binding& binding) -> KernelRunner::Kernel {
    const auto map = [&](int id) {
      return MapMemory::of(binding.schedule->value(id), binding.schedule->block, binding.floats(id));
    };
    return [a = map(src), b = map(dst), rate, node](const Draw& draw) { drop(a, b, rate, draw, node); };
  });
  runner->implementation = "posemachine:dropout";
  return runner;
}

}  // namespace detail

inline constexpr std::array dropout_engine{
    EngineOp{&dropout_op, detail::make_dropout},
    EngineOp{&dropout_backward_op, detail::make_dropout},
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
