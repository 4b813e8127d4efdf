// The engine's reorder: a map in another layout.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/kernel.hpp>

#include <array>
#include <memory>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

std::unique_ptr<Kernel> make_reorder(const BuildContext& context);

}  // namespace detail

inline constexpr std::array reorder_engine{EngineOp{&schedule::reorder_op, detail::make_reorder}};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/ops/reorder.ipp>
#endif
