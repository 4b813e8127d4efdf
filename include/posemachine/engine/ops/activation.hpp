// The engine's activations: oneDNN's eltwise, forward and backward.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/activation.hpp>
#include <posemachine/engine/kernel.hpp>

#include <array>
#include <cstddef>
#include <memory>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

std::unique_ptr<Kernel> make_activation(const BuildContext& context);
std::unique_ptr<Kernel> make_activation_backward(const BuildContext& context);

}  // namespace detail

inline constexpr auto activation_engine = [] {
  std::array<EngineOp, 2 * detail::activation_rows.size()> ops;
  for (std::size_t i = 0; i < detail::activation_rows.size(); ++i) {
    ops[2 * i] = {detail::activation_rows[i].forward, detail::make_activation};
    ops[2 * i + 1] = {detail::activation_rows[i].backward, detail::make_activation_backward};
  }
  return ops;
}();

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/ops/activation.ipp>
#endif
