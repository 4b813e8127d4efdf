// transposed_convolution: (C, H, W) -> (out, H', W'); each src cell spreads a learnt kernel over dst.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/gradients.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/add.hpp>
#include <posemachine/graph/ops/convolution.hpp>

#include <array>
#include <cstdint>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Options of a transposed convolution; all counts are of dst cells. The defaults double a map: kernel 4, stride 2,
/// padding 1 (Xiao et al. 2018).
struct TransposedConvolutionOptions {
  std::int32_t out = 1;             // dst channels
  std::int32_t kernel = 4;          // height and width
  std::int32_t stride = 2;          // dst cells from one src cell's kernel to the next one's
  std::int32_t padding = 1;         // cut off at all sides
  std::int32_t output_padding = 0;  // more cells at the bottom and right, below stride
  std::int32_t bias = 1;            // 0: none
  Init init = Init::he_normal;      // of the weights; the bias starts at 0
};

inline constexpr std::array transposed_convolution_options{
    OptionInfo{"out", 1, 65536},  OptionInfo{"kernel", 1, 63},         OptionInfo{"stride", 1, 16},
    OptionInfo{"padding", 0, 62}, OptionInfo{"output_padding", 0, 15}, OptionInfo{"bias", 0, 1},
    OptionInfo{"init", 0, 6},
};

namespace detail {

constexpr Window transposed_convolution_window(const Options& values) {
  const auto options = unpack<TransposedConvolutionOptions>(values);
  return {.kernel = options.kernel,
          .padding = options.padding,
          .scale = options.stride,
          .output_padding = options.output_padding};
}

// Per dst cell: of the kernel's taps, one in stride^2 meets a src cell.
constexpr std::int64_t transposed_multiply_adds(const Graph& graph, const Node& node) {
  const auto options = unpack<TransposedConvolutionOptions>(node.options);
  const std::int64_t taps = std::int64_t{options.kernel} * options.kernel;
  const std::int64_t stride = std::int64_t{options.stride} * options.stride;
  return options.out * std::int64_t{channels(graph, input(graph, node, 0))} * taps / stride;
}

constexpr int infer_transposed_convolution(Graph& graph, const Node& node) {
  const auto options = unpack<TransposedConvolutionOptions>(node.options);
  require(graph, options.padding < options.kernel, Rule::option_range, 3, options.padding);
  require(graph, options.output_padding < options.stride, Rule::option_range, 4, options.output_padding);
  require_bias(graph, node, options.out, options.bias);
  if (node.parameters.count > 0) {
    const Parameter& weights = parameter(graph, node, 0);
    const int in = channels(graph, input(graph, node, 0));
    const std::array<int, 4> expected{options.out, in, options.kernel, options.kernel};
    require(graph, weights.extents == expected && weights.rank == 4, Rule::parameter_shape, options.out,
            static_cast<int>(weights.size()));
  }
  return options.out;
}

void differentiate_transposed_convolution(Gradients& gradients, int node);

}  // namespace detail

inline constexpr OpInfo transposed_convolution_op{
    .name = "transposed_convolution",
    .options = transposed_convolution_options,
    .window = detail::transposed_convolution_window,
    .infer = detail::infer_transposed_convolution,
    .multiply_adds = detail::transposed_multiply_adds,
    .differentiate = detail::differentiate_transposed_convolution,
};

/// (diff_dst; weights) -> diff_src.
inline constexpr OpInfo transposed_convolution_backward_data_op{.name = "transposed_convolution_backward_data",
                                                                .options = transposed_convolution_options};

/// (src, diff_dst) -> gradients of weights and bias.
inline constexpr OpInfo transposed_convolution_backward_weights_op{.name = "transposed_convolution_backward_weights",
                                                                   .min_inputs = 2,
                                                                   .max_inputs = 2,
                                                                   .options = transposed_convolution_options};

inline void detail::differentiate_transposed_convolution(Gradients& gradients, int node) {
  const Value src = input(gradients.graph, gradients.node(node), 0);
  const Value diff_dst = gradients.total({gradients.node(node).dst}, add_op);
  const std::vector<int> parameters = parameter_ids(gradients.graph, gradients.node(node));
  gradients.add_backward(node, transposed_convolution_backward_data_op, src, {diff_dst}, parameters);
  gradients.add_parameter_gradient(node, transposed_convolution_backward_weights_op, {src, diff_dst}, parameters);
}

/// dst[o, y stride + i - padding, x stride + j - padding] = bias[o] + the sum over c, i, j of weights[o, c, i, j] *
/// src[c, y, x]: what a convolution of these options does to a gradient.
/// Shapes: (C, H, W) -> (out, H', W'), H' = (H - 1) stride + kernel - 2 padding + output_padding.
/// Parameters: TransposedConv.weights (out, C, kernel, kernel), TransposedConv.bias (out).
/// Errors: ModelError for options out of range. Source: Zeiler et al. 2010; Dumoulin and Visin 2016.
constexpr Value transposed_convolution(Graph& graph, Value src, TransposedConvolutionOptions options) {
  const int outer = open_scope(graph, "TransposedConv");
  const int in = channels(graph, src);
  // A dst cell sees one tap in stride^2: that many terms are in its sum.
  const int stride = options.stride > 0 ? options.stride : 1;
  const int terms = in * options.kernel * options.kernel / (stride * stride);
  const int weights = add_parameter(graph, "weights", {options.out, in, options.kernel, options.kernel}, 4,
                                    options.init, terms > 0 ? terms : 1);
  const Value dst = detail::add_weighted_node(graph, transposed_convolution_op, pack(options), src, weights,
                                              options.out, options.bias);
  close_scope(graph, outer);
  return dst;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
