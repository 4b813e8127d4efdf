// Operations of a user's own: what their kernels see, and how gradients pass through them.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/map.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/gradients.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/add.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A map as a kernel sees it: plain floats (n, c, h, w), row-major, in host memory.
using SrcMap = MapView<const float>;
using DstMap = MapView<float>;

/// What a forward kernel works with: it writes all of dst. Parameters are plain, in the node's order.
struct ForwardCall {
  std::span<const SrcMap> srcs;
  std::span<const std::span<const float>> parameters;
  const Options& options;
  bool training = false;
  DstMap dst;
};

/// What a backward kernel works with: it writes all of every diff_src that has data and of every diff_parameters that
/// is not empty; the others are not asked for. It may be called several times, each time for some of them.
struct BackwardCall {
  std::span<const SrcMap> srcs;
  std::span<const std::span<const float>> parameters;
  const Options& options;
  SrcMap dst;       // what forward wrote
  SrcMap diff_dst;  // the gradient of the loss by dst
  std::span<const DstMap> diff_srcs;
  std::span<const std::span<float>> diff_parameters;
};

/// The kernels of a user's operation: functions of their arguments alone, called from several threads at once. An
/// exception ends the run and is thrown to its caller.
struct CustomKernels {
  void (*forward)(const ForwardCall&) = nullptr;
  void (*backward)(const BackwardCall&) = nullptr;  // null: no gradient passes
};

/// Which src a backward node's dst is the gradient of; -1: the parameters.
struct CustomBackwardOptions {
  std::int32_t src = -1;
};
inline constexpr std::array custom_backward_options{OptionInfo{"src", -1, 65536}};

/// (srcs ..., dst, diff_dst; parameters) -> the gradient of one src, or of the parameters: node.forward says of what.
inline constexpr OpInfo custom_backward_op{
    .name = "custom_backward", .min_inputs = 2, .max_inputs = -1, .options = custom_backward_options};

namespace detail {

// One node for each src whose gradient is wanted, and one for the parameters: each may run, or not, by itself.
inline void differentiate_custom(Gradients& gradients, int node) {
  const Value dst{gradients.node(node).dst};
  const Value diff_dst = gradients.total(dst, add_op);
  const std::vector<int> parameters = parameter_ids(gradients.graph, gradients.node(node));
  std::vector<Value> inputs;
  for (int i = 0; i < gradients.node(node).inputs.count; ++i) {
    inputs.push_back(input(gradients.graph, gradients.node(node), i));
  }
  const std::vector<Value> srcs = inputs;
  inputs.push_back(dst);
  inputs.push_back(diff_dst);
  for (std::size_t i = 0; i < srcs.size(); ++i) {
    const Options which = pack(CustomBackwardOptions{static_cast<std::int32_t>(i)});
    gradients.add_backward(node, custom_backward_op, srcs[i], inputs, parameters, &which);
  }
  const Options which = pack(CustomBackwardOptions{});
  gradients.add_parameter_gradient(node, custom_backward_op, inputs, parameters, &which);
}

}  // namespace detail

/// Adds a user's operation. Errors: ModelError for options out of range, and what the operation's own infer requires.
template <class OptionStruct>
constexpr Value custom(Graph& graph, const OpInfo& op, const OptionStruct& options, std::span<const Value> srcs,
                       std::span<const int> parameters = {}) {
  return add_node(graph, {.op = &op, .options = pack(options), .inputs = srcs, .parameters = parameters});
}

/// A user's operation of one src without parameters, as a layer: Custom<mish_op>, Custom<clip_op, ClipOptions{...}>.
template <const OpInfo& Op, auto... OptionStruct>
struct Custom {
  static_assert(sizeof...(OptionStruct) <= 1, "Custom<op, options>: at most one option struct");
  using AddsNoScope = Custom;
  static constexpr Value lower(Graph& graph, Value src) {
    Options options{};
    ((options = pack(OptionStruct)), ...);
    return add_node(graph, Op, options, {src});
  }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
