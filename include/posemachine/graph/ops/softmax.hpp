// softmax: (C, H, W) -> (C, H, W); in every cell the channels become shares of 1.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/gradients.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/activation.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// (dst, diff_dst) -> diff_src = dst * (diff_dst - the sum over channels of dst * diff_dst).
inline constexpr OpInfo softmax_backward_op = detail::backward_activation("softmax_backward");

inline constexpr OpInfo softmax_op{.name = "softmax",
                                   .differentiate = detail::differentiate_activation<softmax_backward_op>,
                                   .traits = {.overwrites = 0}};

/// dst[c] = exp(src[c]) / the sum over channels of exp(src), in every cell by itself.
constexpr Value softmax(Graph& graph, Value src) { return add_node(graph, softmax_op, {}, {src}); }

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
