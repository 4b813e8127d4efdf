// resize_nearest, resize_bilinear: (C, H, W) -> (C, H scale, W scale); larger maps of the same picture.
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

/// Options of a resize.
struct ResizeOptions {
  std::int32_t scale = 2;  // dst cells per src cell, along each side
};

inline constexpr std::array resize_options{OptionInfo{"scale", 2, 16}};

namespace detail {

constexpr Window nearest_window(const Options& values) {
  const auto scale = unpack<ResizeOptions>(values).scale;
  return {.kernel = scale, .scale = scale};
}

// A transposed convolution with the kernel of Caffe's bilinear filler has this window.
constexpr Window bilinear_window(const Options& values) {
  const auto scale = unpack<ResizeOptions>(values).scale;
  return {.kernel = 2 * scale - scale % 2, .padding = scale / 2, .scale = scale};
}

template <const OpInfo& Backward>
void differentiate_resize(Gradients& gradients, int node) {
  const Value diff_dst = gradients.total({gradients.node(node).dst}, add_op);
  gradients.add_backward(node, Backward, input(gradients.graph, gradients.node(node), 0), {diff_dst});
}

}  // namespace detail

/// diff_dst -> diff_src: each dst cell's gradient goes to the src cells it was made of, by their shares.
inline constexpr OpInfo resize_nearest_backward_op{.name = "resize_nearest_backward", .options = resize_options};
inline constexpr OpInfo resize_bilinear_backward_op{.name = "resize_bilinear_backward", .options = resize_options};

inline constexpr OpInfo resize_nearest_op{
    .name = "resize_nearest",
    .options = resize_options,
    .window = detail::nearest_window,
    .differentiate = detail::differentiate_resize<resize_nearest_backward_op>,
};

inline constexpr OpInfo resize_bilinear_op{
    .name = "resize_bilinear",
    .options = resize_options,
    .window = detail::bilinear_window,
    .differentiate = detail::differentiate_resize<resize_bilinear_backward_op>,
};

/// dst[c, y, x] = src[c, y / scale, x / scale], rounded down. Shapes: (C, H, W) -> (C, H scale, W scale).
/// Errors: ModelError for a scale outside 2 to 16, or a global value.
constexpr Value resize_nearest(Graph& graph, Value src, ResizeOptions options = {}) {
  return add_node(graph, resize_nearest_op, pack(options), {src});
}

/// dst between the four nearest src cells, by distance of the cells' centres; beyond the border the outermost cell goes
/// on (PyTorch's align_corners=False). Shapes and errors as resize_nearest.
constexpr Value resize_bilinear(Graph& graph, Value src, ResizeOptions options = {}) {
  return add_node(graph, resize_bilinear_op, pack(options), {src});
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
