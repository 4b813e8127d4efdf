// The oracle's dropout: element e of sample s is kept where draw e of the stream (seed, step, s, forward node) says so.
#pragma once

#include "../call.hpp"

#include <posemachine/core/random.hpp>
#include <posemachine/graph/ops/dropout.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace posemachine::reference {

// The same for the backward node: its draws are those of its forward node.
inline void dropout(const Call& call) {
  const Array& src = call.src(0);
  if (!call.context.training) {
    *call.dst = src;
    return;
  }
  const double rate = unpack<DropoutOptions>(call.node().options).percent / 100.0;
  const auto node = static_cast<std::uint64_t>(call.node().forward >= 0 ? call.node().forward : call.index);
  const std::size_t per_sample = src.values.size() / static_cast<std::size_t>(src.n);
  for (int image = 0; image < src.n; ++image) {
    const auto sample = call.context.first_sample + static_cast<std::uint64_t>(image);
    RandomStream stream(call.context.seed, Purpose::dropout, call.context.step, sample, node);
    const std::size_t first = static_cast<std::size_t>(image) * per_sample;
    for (std::size_t i = first; i < first + per_sample; ++i) {
      const bool kept = stream.uniform() >= rate;
      call.dst->values[i] = kept ? src.values[i] / (1 - rate) : 0;
    }
  }
}

inline constexpr std::array dropout_reference{
    ReferenceOp{&dropout_op, dropout},
    ReferenceOp{&dropout_backward_op, dropout},
};

}  // namespace posemachine::reference
