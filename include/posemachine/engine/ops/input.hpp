// The engine's input: what the caller wrote, moved into the layout that the graph reads.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/graph/ops/input.hpp>

#include <array>
#include <memory>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

std::unique_ptr<Kernel> make_input(const BuildContext& context);

}  // namespace detail

inline constexpr std::array input_engine{EngineOp{&input_op, detail::make_input}};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/ops/input.ipp>
#endif
