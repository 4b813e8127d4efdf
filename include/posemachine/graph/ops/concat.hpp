// concat: (C1, H, W), (C2, H, W), ... -> (C1 + C2 + ..., H, W); values side by side in the channels.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/gradients.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/add.hpp>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

constexpr int infer_concat(Graph& graph, const Node& node) {
  require_equal_strides(graph, node);
  int total = 0;
  for (int i = 0; i < node.inputs.count; ++i) {
    const int count = channels(graph, input(graph, node, i));
    if (!require(graph, count <= 65536 - total, Rule::channels_limit, total, count)) break;
    total += count;
  }
  return total;
}

void differentiate_concat(Gradients& gradients, int node);

}  // namespace detail

inline constexpr OpInfo concat_op{
    .name = "concat",
    .min_inputs = 1,
    .max_inputs = -1,
    .infer = detail::infer_concat,
    .differentiate = detail::differentiate_concat,
    .traits = {.kind = OpKind::concat},
};

/// Which channels of src a slice takes.
struct SliceOptions {
  std::int32_t first = 0;
  std::int32_t count = 1;
};

inline constexpr std::array slice_options{OptionInfo{"first", 0, 1 << 20}, OptionInfo{"count", 1, 65536}};

/// slice: (C, H, W) -> (count, H, W), the channels first .. first + count - 1; the gradient of a branch of a concat.
inline constexpr OpInfo slice_op{
    .name = "slice",
    .options = slice_options,
    .infer =
        [](Graph& graph, const Node& node) {
          const auto options = unpack<SliceOptions>(node.options);
          require(graph, options.first + options.count <= channels(graph, input(graph, node, 0)), Rule::option_range, 1,
                  options.count);
          return static_cast<int>(options.count);
        },
    .traits = {.kind = OpKind::slice},
};

inline void detail::differentiate_concat(Gradients& gradients, int node) {
  const Value diff_dst = gradients.total({gradients.node(node).dst}, add_op);
  int first = 0;
  for (int i = 0; i < gradients.node(node).inputs.count; ++i) {
    Graph& graph = gradients.graph;
    const Value src = input(graph, gradients.node(node), i);
    const int count = channels(graph, src);
    if (gradients.wanted(src)) {
      graph.scope = gradients.node(node).scope;
      const std::array<Value, 1> inputs{diff_dst};
      gradients.add(src, add_node(graph, {.op = &slice_op,
                                          .options = pack(SliceOptions{.first = first, .count = count}),
                                          .inputs = inputs,
                                          .forward = node,
                                          .like = src.id}));
    }
    first += count;
  }
}

/// dst = the branches' channels, in order. Errors: ModelError where strides differ.
constexpr Value concat(Graph& graph, std::span<const Value> branches) {
  return add_node(graph, {.op = &concat_op, .inputs = branches});
}
constexpr Value concat(Graph& graph, std::initializer_list<Value> branches) {
  return concat(graph, std::span<const Value>(branches.begin(), branches.size()));
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
