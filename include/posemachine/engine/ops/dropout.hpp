// The engine's dropout: a loop whose draws depend on seed, step, sample and node alone.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/graph/ops/dropout.hpp>

#include <array>
#include <cstdint>
#include <memory>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

// dst = src / (1 - rate) where the draw of (sample, channel, cell) is at least the rate, else 0.
void drop(const MapView<float>& src, const MapView<float>& dst, double rate, const RandomKey& key, std::uint64_t node);

std::unique_ptr<Kernel> make_dropout(const BuildContext& context);

}  // namespace detail

inline constexpr std::array dropout_engine{
    EngineOp{&dropout_op, detail::make_dropout},
    EngineOp{&dropout_backward_op, detail::make_dropout},
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/ops/dropout.ipp>
#endif
