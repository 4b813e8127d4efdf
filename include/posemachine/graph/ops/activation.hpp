// relu, leaky_relu, sigmoid, silu, hard_swish: (C, H, W) -> (C, H, W), cell by cell.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/gradients.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/add.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Options of a leaky ReLU, as integers so that they can be template arguments on every compiler.
struct LeakyReluOptions {
  std::int32_t slope_millionths = 10'000;  // of dst below 0: 0.01
};

inline constexpr std::array leaky_relu_options{OptionInfo{"slope_millionths", 0, 1'000'000}};

constexpr double slope(const LeakyReluOptions& options) { return options.slope_millionths * 1e-6; }

namespace detail {

// A backward activation reads what its forward one wrote or read, and diff_dst, in whose place its dst may lie.
constexpr OpInfo backward_activation(std::string_view name, std::span<const OptionInfo> options = {}) {
  return {.name = name, .min_inputs = 2, .max_inputs = 2, .options = options, .traits = {.overwrites = 1}};
}

// The backward nodes read dst, not src: the forward activation may then be fused into its producer or done in place.
template <const OpInfo& Backward>
void differentiate_activation(Gradients& gradients, int node) {
  const Value dst{gradients.node(node).dst};
  const Value diff_dst = gradients.total(dst, add_op);
  gradients.add_backward(node, Backward, input(gradients.graph, gradients.node(node), 0), {dst, diff_dst});
}

// Where dst does not say what src was.
template <const OpInfo& Backward>
void differentiate_from_src(Gradients& gradients, int node) {
  const Value src = input(gradients.graph, gradients.node(node), 0);
  const Value diff_dst = gradients.total({gradients.node(node).dst}, add_op);
  gradients.add_backward(node, Backward, src, {src, diff_dst});
}

}  // namespace detail

/// (dst, diff_dst) -> diff_src = diff_dst where dst > 0, else slope * diff_dst.
inline constexpr OpInfo leaky_relu_backward_op = detail::backward_activation("leaky_relu_backward", leaky_relu_options);

/// (src, diff_dst) -> diff_src = diff_dst * s * (1 + src * (1 - s)), s = sigmoid(src).
inline constexpr OpInfo silu_backward_op = detail::backward_activation("silu_backward");

/// (src, diff_dst) -> diff_src: 0 up to -3, diff_dst from 3 on, diff_dst * (2 src + 3) / 6 between.
inline constexpr OpInfo hard_swish_backward_op = detail::backward_activation("hard_swish_backward");

/// (dst, diff_dst) -> diff_src = diff_dst where dst > 0, else 0.
inline constexpr OpInfo relu_backward_op = detail::backward_activation("relu_backward");

/// (dst, diff_dst) -> diff_src = diff_dst * dst * (1 - dst).
inline constexpr OpInfo sigmoid_backward_op = detail::backward_activation("sigmoid_backward");

inline constexpr OpInfo relu_op{
    .name = "relu",
    .differentiate = detail::differentiate_activation<relu_backward_op>,
    .traits = {.kind = OpKind::activation, .is_cheap = true, .overwrites = 0, .onnx = "Relu"}};
inline constexpr OpInfo sigmoid_op{
    .name = "sigmoid",
    .differentiate = detail::differentiate_activation<sigmoid_backward_op>,
    .traits = {.kind = OpKind::activation, .is_cheap = true, .overwrites = 0, .onnx = "Sigmoid"}};

inline constexpr OpInfo leaky_relu_op{.name = "leaky_relu",
                                      .options = leaky_relu_options,
                                      .differentiate = detail::differentiate_activation<leaky_relu_backward_op>,
                                      .traits = {.kind = OpKind::activation, .is_cheap = true, .overwrites = 0}};
inline constexpr OpInfo silu_op{.name = "silu",
                                .differentiate = detail::differentiate_from_src<silu_backward_op>,
                                .traits = {.kind = OpKind::activation, .is_cheap = true, .overwrites = 0}};
inline constexpr OpInfo hard_swish_op{
    .name = "hard_swish",
    .differentiate = detail::differentiate_from_src<hard_swish_backward_op>,
    .traits = {.kind = OpKind::activation, .is_cheap = true, .overwrites = 0, .onnx = "HardSwish"}};

/// dst = max(0, src).
constexpr Value relu(Graph& graph, Value src) { return add_node(graph, relu_op, {}, {src}); }

/// dst = 1 / (1 + exp(-src)).
constexpr Value sigmoid(Graph& graph, Value src) { return add_node(graph, sigmoid_op, {}, {src}); }

/// dst = src above 0, slope * src below. Source: Maas et al. 2013.
constexpr Value leaky_relu(Graph& graph, Value src, LeakyReluOptions options = {}) {
  return add_node(graph, leaky_relu_op, pack(options), {src});
}

/// dst = src * sigmoid(src), also called swish. Source: Elfwing et al. 2017.
constexpr Value silu(Graph& graph, Value src) { return add_node(graph, silu_op, {}, {src}); }

/// dst = src * min(max(src + 3, 0), 6) / 6. Source: Howard et al. 2019.
constexpr Value hard_swish(Graph& graph, Value src) { return add_node(graph, hard_swish_op, {}, {src}); }

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
