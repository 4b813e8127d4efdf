// dropout: (C, H, W) -> (C, H, W); in training each value is zeroed with a given probability, in inference kept.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/gradients.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/add.hpp>

#include <array>
#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

struct DropoutOptions {
  std::int32_t percent = 50;  // of the values that are zeroed; the others grow by 100 / (100 - percent)
};

inline constexpr std::array dropout_options{OptionInfo{"percent", 0, 99}};

namespace detail {
void differentiate_dropout(Gradients& gradients, int node);
}

inline constexpr OpInfo dropout_op{.name = "dropout",
                                   .options = dropout_options,
                                   .differentiate = detail::differentiate_dropout,
                                   .traits = {.kind = OpKind::dropout, .is_random = true, .overwrites = 0}};

/// diff_dst -> diff_src, with the same draws as the forward node: they are a function of seed, step, sample and node.
inline constexpr OpInfo dropout_backward_op{
    .name = "dropout_backward", .options = dropout_options, .traits = {.is_random = true, .overwrites = 0}};

inline void detail::differentiate_dropout(Gradients& gradients, int node) {
  const Value diff_dst = gradients.total({gradients.node(node).dst}, add_op);
  gradients.add_backward(node, dropout_backward_op, input(gradients.graph, gradients.node(node), 0), {diff_dst});
}

/// Source: Srivastava et al. 2014, in the inverted form (nothing to do in inference).
constexpr Value dropout(Graph& graph, Value src, DropoutOptions options) {
  return add_node(graph, dropout_op, pack(options), {src});
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
