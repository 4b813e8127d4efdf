// convolution: (C, H, W) -> (out, H', W'); a learnt square kernel with stride, dilation, groups and bias.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/gradients.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/add.hpp>

#include <array>
#include <cstdint>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// ConvolutionOptions::padding: as much as keeps the size at stride 1 (odd kernels).
inline constexpr std::int32_t same_padding = -1;

/// Options of a convolution; all counts are of cells.
struct ConvolutionOptions {
  std::int32_t out = 1;     // dst channels
  std::int32_t kernel = 1;  // height and width
  std::int32_t stride = 1;
  std::int32_t dilation = 1;            // counted from 1: 1 is dense
  std::int32_t padding = same_padding;  // top and left; as much as needed at the bottom and right
  std::int32_t bias = 1;                // 0: none
  Init init = Init::he_normal;          // of the weights; the bias starts at 0
  std::int32_t groups = 1;              // channels are cut into as many parts, each with a convolution of its own
};

inline constexpr std::array convolution_options{
    OptionInfo{"out", 1, 65536},    OptionInfo{"kernel", 1, 63},
    OptionInfo{"stride", 1, 16},    OptionInfo{"dilation", 1, 64},
    OptionInfo{"padding", 0, 4096}, OptionInfo{"bias", 0, 1},
    OptionInfo{"init", 0, 6},       OptionInfo{"groups", 1, 65536, true, 1},
};

namespace detail {

constexpr Window convolution_window(const Options& values) {
  const auto options = unpack<ConvolutionOptions>(values);
  return {.kernel = options.kernel, .stride = options.stride, .dilation = options.dilation, .padding = options.padding};
}

// Channels of src that a dst channel sees. A count of groups below 1 breaks a rule of its own.
constexpr int channels_of_group(int in, std::int32_t groups) { return groups > 1 ? in / groups : in; }

constexpr std::int64_t weights_size(const Graph& graph, const Node& node) {
  const auto options = unpack<ConvolutionOptions>(node.options);
  const int in = channels_of_group(channels(graph, input(graph, node, 0)), options.groups);
  return std::int64_t{options.out} * in * options.kernel * options.kernel;
}

// A node has weights and, where it says so, a bias: a number for each channel of dst.
constexpr void require_bias(Graph& graph, const Node& node, std::int32_t out, std::int32_t has_bias) {
  require(graph, node.parameters.count == 1 + has_bias, Rule::parameter_shape, 1 + has_bias, node.parameters.count);
  if (node.parameters.count < 2) return;
  const Parameter& bias = parameter(graph, node, 1);
  require(graph, bias.size() == out && bias.rank == 1, Rule::parameter_shape, out, figure(bias.size()));
}

// Adds the node, and its bias after the weights.
constexpr Value add_weighted_node(Graph& graph, const OpInfo& op, const Options& options, Value src, int weights,
                                  std::int32_t out, std::int32_t has_bias) {
  if (has_bias == 0) return add_node(graph, op, options, {src}, {weights});
  const int bias = add_parameter(graph, "bias", {out, 1, 1, 1}, 1, Init::zeros);
  return add_node(graph, op, options, {src}, {weights, bias});
}

constexpr int infer_convolution(Graph& graph, const Node& node) {
  const auto options = unpack<ConvolutionOptions>(node.options);
  const int in = channels(graph, input(graph, node, 0));
  if (options.groups > 1) {
    require(graph, in % options.groups == 0, Rule::channels_divide, in, options.groups);
    require(graph, options.out % options.groups == 0, Rule::channels_divide, options.out, options.groups);
  }
  require_bias(graph, node, options.out, options.bias);
  if (node.parameters.count > 0) {
    const Parameter& weights = parameter(graph, node, 0);
    const std::array<int, 4> expected{options.out, channels_of_group(in, options.groups), options.kernel,
                                      options.kernel};
    if (weights.extents != expected || weights.rank != 4) {
      require(graph, false, Rule::parameter_shape, figure(weights_size(graph, node)), figure(weights.size()));
    }
  }
  return options.out;
}

void differentiate_convolution(Gradients& gradients, int node);

}  // namespace detail

inline constexpr OpInfo convolution_op{
    .name = "convolution",
    .options = convolution_options,
    .window = detail::convolution_window,
    .infer = detail::infer_convolution,
    .multiply_adds = detail::weights_size,
    .differentiate = detail::differentiate_convolution,
    .traits = {.kind = OpKind::convolution},
};

/// (diff_dst; weights) -> diff_src.
inline constexpr OpInfo convolution_backward_data_op{.name = "convolution_backward_data",
                                                     .options = convolution_options};

/// (src, diff_dst) -> gradients of weights and bias.
inline constexpr OpInfo convolution_backward_weights_op{
    .name = "convolution_backward_weights", .min_inputs = 2, .max_inputs = 2, .options = convolution_options};

inline void detail::differentiate_convolution(Gradients& gradients, int node) {
  const Value src = input(gradients.graph, gradients.node(node), 0);
  const Value diff_dst = gradients.total({gradients.node(node).dst}, add_op);
  const std::vector<int> parameters = parameter_ids(gradients.graph, gradients.node(node));
  gradients.add_backward(node, convolution_backward_data_op, src, {diff_dst}, parameters);
  gradients.add_parameter_gradient(node, convolution_backward_weights_op, {src, diff_dst}, parameters);
}

/// dst[o, y, x] = bias[o] + sum over c, i, j of weights[o, c, i, j] * src[c, y stride + i dilation - padding, x ...],
/// with groups c over those of o's own part of src: part o groups / out.
/// Shapes: (C, H, W) -> (out, H', W'), H' = (H + 2 padding - (kernel - 1) dilation - 1) / stride + 1, rounded down.
/// Parameters: Conv.weights (out, C / groups, kernel, kernel), Conv.bias (out). Errors: ModelError for options out of
/// range, channels that groups do not divide, and an even kernel with same_padding at an odd stride.
constexpr Value convolution(Graph& graph, Value src, ConvolutionOptions options) {
  if (options.padding == same_padding) {
    // Even strides begin between two cells, as even kernels do.
    const bool centred = options.kernel % 2 != 0 || options.stride % 2 == 0 || options.kernel > 63;  // refused below
    require(graph, centred, Rule::even_kernel, options.kernel, options.stride);
    options.padding = options.dilation * (options.kernel - 1) / 2;
  }
  const int outer = open_scope(graph, "Conv");
  const int in = detail::channels_of_group(channels(graph, src), options.groups);
  const int fan_in = in * options.kernel * options.kernel;
  const int weights =
      add_parameter(graph, "weights", {options.out, in, options.kernel, options.kernel}, 4, options.init, fan_in);
  const Value dst =
      detail::add_weighted_node(graph, convolution_op, pack(options), src, weights, options.out, options.bias);
  close_scope(graph, outer);
  return dst;
}

/// A kernel of its own for every channel: convolution() with as many channels and groups as src has, whatever `options`
/// say of them. Source: Howard et al. 2017.
constexpr Value depthwise_convolution(Graph& graph, Value src, ConvolutionOptions options) {
  options.out = options.groups = channels(graph, src);
  return convolution(graph, src, options);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
