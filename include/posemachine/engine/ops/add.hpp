// The engine's add: oneDNN's sum.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/graph/ops/add.hpp>

#include <array>
#include <memory>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

std::unique_ptr<Kernel> make_add(const BuildContext& context);

}  // namespace detail

inline constexpr std::array add_engine{EngineOp{&add_op, detail::make_add}};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/ops/add.ipp>
#endif
