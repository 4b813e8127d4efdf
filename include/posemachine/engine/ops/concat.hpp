// The engine's concat and slice: copies of channels, for those that a pass could not make the same memory.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/graph/ops/concat.hpp>

#include <array>
#include <memory>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

std::unique_ptr<Kernel> make_concat(const BuildContext& context);
std::unique_ptr<Kernel> make_slice(const BuildContext& context);

}  // namespace detail

inline constexpr std::array concat_engine{
    EngineOp{&concat_op, detail::make_concat},
    EngineOp{&slice_op, detail::make_slice},
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/ops/concat.ipp>
#endif
