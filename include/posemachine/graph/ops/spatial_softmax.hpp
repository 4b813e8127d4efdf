// spatial_softmax: (C, H, W) -> (C, H, W); the cells of every map become shares of one sum.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/gradients.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/activation.hpp>

#include <array>
#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Options of a spatial softmax.
struct SpatialSoftmaxOptions {
  std::int32_t scale_percent = 100;  // the sum of a map's cells, in percent
};

inline constexpr std::array spatial_softmax_options{OptionInfo{"scale_percent", 1, 1'000'000'000, true, 100}};

constexpr double scale(const SpatialSoftmaxOptions& options) { return options.scale_percent * 0.01; }

/// (dst, diff_dst) -> diff_src = dst * (diff_dst - the sum over the map's cells of dst * diff_dst / scale).
inline constexpr OpInfo spatial_softmax_backward_op =
    detail::backward_activation("spatial_softmax_backward", spatial_softmax_options);

inline constexpr OpInfo spatial_softmax_op{
    .name = "spatial_softmax",
    .options = spatial_softmax_options,
    .differentiate = detail::differentiate_activation<spatial_softmax_backward_op>,
    .traits = {.overwrites = 0},
};

/// dst[c, y, x] = scale * exp(src[c, y, x]) / the sum over the map's cells of exp(src[c]): where a joint is, as a
/// distribution over the cells. It is counted as an operation that works cell by cell: the receptive field is that of
/// src. Errors: ModelError for a scale outside its range.
/// Source: Sun et al. 2018 (Integral Human Pose Regression), 2.1.
constexpr Value spatial_softmax(Graph& graph, Value src, SpatialSoftmaxOptions options = {}) {
  return add_node(graph, spatial_softmax_op, pack(options), {src});
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
