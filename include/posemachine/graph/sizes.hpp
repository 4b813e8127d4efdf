// The size rule: heights and widths of every value, once those of the inputs are known.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/graph/graph.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The largest height or width of an image or a map, in pixels or cells.
inline constexpr int largest_extent = 65536;

inline std::string to_string(Size size) { return std::to_string(size.height) + " x " + std::to_string(size.width); }

/// The largest stride of a graph's values: sizes of inputs that are multiples of it divide everywhere.
constexpr int largest_stride(const Graph& graph) {
  int largest = 1;
  for (const ValueInfo& value : graph.values) {
    const int pixels = value.stride.pixels / value.stride.cells;
    if (!value.stride.global && pixels > largest) largest = pixels;
  }
  return largest;
}

namespace detail {

[[noreturn]] inline void fail_size(const Graph& graph, int node, const std::string& what, Size image) {
  fail<ModelError>(
      {.where = describe(graph, node),
       .expected = what,
       .got = "an input of " + to_string(image) + " (height x width)",
       .remedy = "use a height and a width that are multiples of " + std::to_string(largest_stride(graph))});
}

}  // namespace detail

/// Sizes of all values for an image size; every input that is not a gradient has it.
/// Errors: ModelError naming the node where a window does not fit, branches differ or a side is longer than
/// largest_extent; not a constant expression then.
constexpr std::vector<Size> infer_sizes(const Graph& graph, Size image) {
  std::vector<Size> sizes(graph.values.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (node.dst < 0) continue;
    Size& dst = sizes[static_cast<std::size_t>(node.dst)];
    const int like = graph.values[static_cast<std::size_t>(node.dst)].like;
    if (like >= 0) {
      dst = sizes[static_cast<std::size_t>(like)];
      continue;
    }
    if (node.inputs.count == 0) {
      if (image.height < 1 || image.width < 1 || image.height > largest_extent || image.width > largest_extent) {
        detail::fail_size(graph, static_cast<int>(i), "sides of 1 to 65536 pixels", image);
      }
      dst = image;
      continue;
    }
    const Size src = sizes[static_cast<std::size_t>(input(graph, node, 0).id)];
    dst = node.op->geometry(node.options).size(src);
    if (dst.height < 1 || dst.width < 1) {
      detail::fail_size(graph, static_cast<int>(i), "a map at least as large as the window, have " + to_string(src),
                        image);
    }
    if (dst.height > largest_extent || dst.width > largest_extent) {
      detail::fail_size(graph, static_cast<int>(i), "a map of at most 65536 cells a side, have " + to_string(dst),
                        image);
    }
    for (int k = 1; k < node.inputs.count; ++k) {
      const Value other = input(graph, node, k);
      const Size size = sizes[static_cast<std::size_t>(other.id)];
      if (stride_of(graph, other) == stride_of(graph, input(graph, node, 0)) && size != src) {
        detail::fail_size(graph, static_cast<int>(i),
                          "branches of equal size, have " + to_string(src) + " and " + to_string(size), image);
      }
    }
  }
  return sizes;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
