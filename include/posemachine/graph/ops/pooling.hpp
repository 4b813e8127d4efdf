// max_pool, average_pool, global_average_pool: (C, H, W) -> (C, H', W'), the largest or the mean of each window.
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

inline constexpr std::int32_t stride_of_window = 0;  // PoolingOptions: windows side by side

/// Options of a pooling window; all counts are of cells.
struct PoolingOptions {
  std::int32_t window = 2;  // height and width
  std::int32_t stride = stride_of_window;
  std::int32_t padding = 0;  // top and left; never counted: neither a maximum nor part of a mean
  std::int32_t ceil = 0;     // 1: sizes round up, the last windows may reach over the border (Caffe)
};

inline constexpr std::array pool_options{OptionInfo{"window", 1, 64}, OptionInfo{"stride", 1, 64},
                                         OptionInfo{"padding", 0, 32}, OptionInfo{"ceil", 0, 1}};

namespace detail {

constexpr Window pool_window(const Options& values) {
  const auto options = unpack<PoolingOptions>(values);
  return {.kernel = options.window, .stride = options.stride, .padding = options.padding, .ceil = options.ceil != 0};
}

// Padding below the window, so that every window holds at least one cell of the map.
constexpr int infer_pool(Graph& graph, const Node& node) {
  const auto options = unpack<PoolingOptions>(node.options);
  require(graph, options.padding < options.window, Rule::option_range, 2, options.padding);
  return channels(graph, input(graph, node, 0));
}

constexpr int infer_global_pool(Graph& graph, const Node& node) {
  const Value src = input(graph, node, 0);
  require(graph, !stride_of(graph, src).global, Rule::spatial_source, 0, channels(graph, src));
  return channels(graph, src);
}

template <const OpInfo& Backward>
void differentiate_pool(Gradients& gradients, int node) {
  const Value diff_dst = gradients.total({gradients.node(node).dst}, add_op);
  gradients.add_backward(node, Backward, input(gradients.graph, gradients.node(node), 0), {diff_dst});
}

}  // namespace detail

/// diff_dst -> diff_src, to the cell that was the largest (the first in row-major order).
inline constexpr OpInfo max_pool_backward_op{.name = "max_pool_backward", .options = pool_options};
inline constexpr OpInfo average_pool_backward_op{.name = "average_pool_backward", .options = pool_options};
inline constexpr OpInfo global_average_pool_backward_op{.name = "global_average_pool_backward"};

inline constexpr OpInfo max_pool_op{
    .name = "max_pool",
    .options = pool_options,
    .window = detail::pool_window,
    .infer = detail::infer_pool,
    .differentiate = detail::differentiate_pool<max_pool_backward_op>,
    .traits = {.kind = OpKind::max_pooling},
};

inline constexpr OpInfo average_pool_op{
    .name = "average_pool",
    .options = pool_options,
    .window = detail::pool_window,
    .infer = detail::infer_pool,
    .differentiate = detail::differentiate_pool<average_pool_backward_op>,
    .traits = {.kind = OpKind::average_pooling},
};

inline constexpr OpInfo global_average_pool_op{
    .name = "global_average_pool",
    .window = [](const Options&) { return Window{.global = true}; },
    .infer = detail::infer_global_pool,
    .differentiate = detail::differentiate_pool<global_average_pool_backward_op>,
    .traits = {.kind = OpKind::average_pooling, .onnx = "GlobalAveragePool"},
};

/// dst = the largest value of each window.
/// Shapes: (C, H, W) -> (C, H', W'), H' = (H + 2 padding - window) / stride + 1.
constexpr Value max_pool(Graph& graph, Value src, PoolingOptions options) {
  if (options.stride == stride_of_window) options.stride = options.window;
  return add_node(graph, max_pool_op, pack(options), {src});
}

/// dst = the mean of each window's cells inside the map. Shapes as max_pool.
constexpr Value average_pool(Graph& graph, Value src, PoolingOptions options) {
  if (options.stride == stride_of_window) options.stride = options.window;
  return add_node(graph, average_pool_op, pack(options), {src});
}

/// dst = the mean of each channel. Shapes: (C, H, W) -> (C, 1, 1), a global value.
constexpr Value global_average_pool(Graph& graph, Value src) {
  return add_node(graph, global_average_pool_op, {}, {src});
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
