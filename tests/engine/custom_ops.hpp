// Operations of a user's own, for tests: a prelu, a product of two maps, and kernels that are wrong.
#pragma once

#include <posemachine/graph/build.hpp>
#include <posemachine/graph/custom_op.hpp>
#include <posemachine/graph/graph.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <stdexcept>

namespace custom_ops {

namespace pm = posemachine;

inline void prelu_forward(const pm::ForwardCall& call) {
  const pm::SrcMap& src = call.srcs[0];
  const std::size_t cells = static_cast<std::size_t>(src.h) * static_cast<std::size_t>(src.w);
  for (std::size_t i = 0; i < src.size(); ++i) {
    const float slope = call.parameters[0][i / cells % static_cast<std::size_t>(src.c)];
    call.dst.data[i] = src.data[i] > 0 ? src.data[i] : slope * src.data[i];
  }
}

// Scale: of the gradients, 1 for a right kernel.
template <int SrcScale, int ParameterScale>
void prelu_backward(const pm::BackwardCall& call) {
  const pm::SrcMap& src = call.srcs[0];
  const std::size_t cells = static_cast<std::size_t>(src.h) * static_cast<std::size_t>(src.w);
  const std::span<float> diff_slopes = call.diff_parameters[0];
  for (float& value : diff_slopes) value = 0;
  for (std::size_t i = 0; i < src.size(); ++i) {
    const std::size_t c = i / cells % static_cast<std::size_t>(src.c);
    const float diff = call.diff_dst.data[i];
    if (call.diff_srcs[0].data != nullptr) {
      call.diff_srcs[0].data[i] = SrcScale * diff * (src.data[i] > 0 ? 1 : call.parameters[0][c]);
    }
    if (!diff_slopes.empty() && src.data[i] <= 0) diff_slopes[c] += ParameterScale * diff * src.data[i];
  }
}

inline void multiply_forward(const pm::ForwardCall& call) {
  for (std::size_t i = 0; i < call.dst.size(); ++i) call.dst.data[i] = call.srcs[0].data[i] * call.srcs[1].data[i];
}

inline void multiply_backward(const pm::BackwardCall& call) {
  for (std::size_t k = 0; k < 2; ++k) {
    if (call.diff_srcs[k].data == nullptr) continue;
    for (std::size_t i = 0; i < call.dst.size(); ++i) {
      call.diff_srcs[k].data[i] = call.diff_dst.data[i] * call.srcs[1 - k].data[i];
    }
  }
}

// Reads a cell before it writes it: src and dst may be the same memory.
inline void softsign_forward(const pm::ForwardCall& call) {
  for (std::size_t i = 0; i < call.dst.size(); ++i) {
    const float value = call.srcs[0].data[i];
    call.dst.data[i] = value / (1 + (value < 0 ? -value : value));
  }
}

inline void throwing_forward(const pm::ForwardCall&) { throw std::domain_error("the kernel's own words"); }

constexpr int infer_prelu(pm::Graph& graph, const pm::Node& node) {
  const int channel_count = pm::channels(graph, pm::input(graph, node, 0));
  pm::require(graph, node.parameters.count == 1 && pm::parameter(graph, node, 0).size() == channel_count,
              pm::Rule::parameter_shape, channel_count, node.parameters.count);
  return channel_count;
}

constexpr int infer_multiply(pm::Graph& graph, const pm::Node& node) {
  const int first = pm::channels(graph, pm::input(graph, node, 0));
  pm::require(graph, first == pm::channels(graph, pm::input(graph, node, 1)), pm::Rule::branch_channels, first,
              pm::channels(graph, pm::input(graph, node, 1)));
  return first;
}

inline constexpr pm::CustomKernels prelu_kernels{prelu_forward, prelu_backward<1, 1>};
inline constexpr pm::CustomKernels wrong_src_kernels{prelu_forward, prelu_backward<2, 1>};
inline constexpr pm::CustomKernels wrong_parameter_kernels{prelu_forward, prelu_backward<1, -1>};
inline constexpr pm::CustomKernels forward_only_kernels{prelu_forward, nullptr};
inline constexpr pm::CustomKernels multiply_kernels{multiply_forward, multiply_backward};
inline constexpr pm::CustomKernels softsign_kernels{softsign_forward, nullptr};
inline constexpr pm::CustomKernels throwing_kernels{throwing_forward, nullptr};

inline constexpr pm::OpInfo prelu_op{
    .name = "test.prelu", .version = 3, .infer = infer_prelu, .kernels = &prelu_kernels};
inline constexpr pm::OpInfo softsign_op{
    .name = "test.softsign", .traits = {.overwrites = 0, .onnx = "Softsign"}, .kernels = &softsign_kernels};
inline constexpr pm::OpInfo untold_softsign_op{.name = "test.untold_softsign", .kernels = &softsign_kernels};
inline constexpr pm::OpInfo wrong_src_op{.name = "test.wrong_src", .infer = infer_prelu, .kernels = &wrong_src_kernels};
inline constexpr pm::OpInfo wrong_parameter_op{
    .name = "test.wrong_parameter", .infer = infer_prelu, .kernels = &wrong_parameter_kernels};
inline constexpr pm::OpInfo forward_only_op{
    .name = "test.forward_only", .infer = infer_prelu, .kernels = &forward_only_kernels};
inline constexpr pm::OpInfo multiply_op{
    .name = "test.multiply", .min_inputs = 2, .max_inputs = 2, .infer = infer_multiply, .kernels = &multiply_kernels};
inline constexpr pm::OpInfo throwing_op{.name = "test.throwing", .kernels = &throwing_kernels};

template <const pm::OpInfo& Op>
constexpr pm::Value slopes(pm::Graph& graph, pm::Value src) {
  const int outer = pm::open_scope(graph, "PReLU");  // the library's names, so that both get the same numbers
  const int id = pm::add_parameter(graph, "slopes", {pm::channels(graph, src), 1, 1, 1}, 1, pm::Init::quarters);
  const pm::Value dst = pm::add_node(graph, Op, {}, {src}, {id});
  pm::close_scope(graph, outer);
  return dst;
}

}  // namespace custom_ops
