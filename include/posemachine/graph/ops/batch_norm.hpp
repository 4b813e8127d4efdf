// batch_norm: (C, H, W) -> (C, H, W); each channel shifted and scaled to a learnt mean and deviation.
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

/// Options of batch normalisation, as integers so that they can be template arguments on every compiler.
struct BatchNormOptions {
  std::int32_t epsilon_billionths = 10'000;  // added to the variance: 1e-5
  std::int32_t momentum_permille = 100;      // weight of a new batch in the running statistics: 0.1
};

inline constexpr std::array batch_norm_options{OptionInfo{"epsilon_billionths", 1, 1'000'000'000},
                                               OptionInfo{"momentum_permille", 0, 1000}};

constexpr double epsilon(const BatchNormOptions& options) { return options.epsilon_billionths * 1e-9; }
constexpr double momentum(const BatchNormOptions& options) { return options.momentum_permille * 1e-3; }

namespace detail {

constexpr int infer_batch_norm(Graph& graph, const Node& node) {
  const int channel_count = channels(graph, input(graph, node, 0));
  require(graph, node.parameters.count == 4, Rule::parameter_shape, 4, node.parameters.count);
  for (int i = 0; i < node.parameters.count; ++i) {
    const Parameter& each = parameter(graph, node, i);
    // Scale and shift are learnt, or frozen together; mean and variance are buffers.
    const bool learnt = i < 2 && parameter(graph, node, 0).trainable;
    const bool fits = each.size() == channel_count && each.rank == 1 && each.trainable == learnt;
    require(graph, fits, Rule::parameter_shape, channel_count, static_cast<int>(each.size()));
  }
  return channel_count;
}

void differentiate_batch_norm(Gradients& gradients, int node);

}  // namespace detail

/// Whether a batch norm node is frozen: its running statistics are used, and stay, in training too.
constexpr bool is_frozen_batch_norm(const Graph& graph, const Node& node) {
  return !parameter(graph, node, 0).trainable;
}

inline constexpr OpInfo batch_norm_op{
    .name = "batch_norm",
    .options = batch_norm_options,
    .infer = detail::infer_batch_norm,
    .differentiate = detail::differentiate_batch_norm,
    .traits = {.kind = OpKind::batch_norm},
};

/// (src, diff_dst) -> diff_src, and the gradients of scale and shift.
inline constexpr OpInfo batch_norm_backward_op{
    .name = "batch_norm_backward", .min_inputs = 2, .max_inputs = 2, .options = batch_norm_options};

inline void detail::differentiate_batch_norm(Gradients& gradients, int node) {
  const Value src = input(gradients.graph, gradients.node(node), 0);
  const Value diff_dst = gradients.total({gradients.node(node).dst}, add_op);
  const std::vector<int> parameters = parameter_ids(gradients.graph, gradients.node(node));
  gradients.want(src);  // one node gives all three gradients, so that of src is made even where nobody reads it
  gradients.add_backward(node, batch_norm_backward_op, src, {src, diff_dst}, parameters);
}

/// dst = scale * (src - mean) / sqrt(variance + epsilon) + shift, per channel. In training mean and (biased) variance
/// are those of the batch, and the running ones move towards them (the variance unbiased, as PyTorch); in inference,
/// and where it is frozen, the running ones are used. Parameters: BatchNorm.scale, shift; buffers: mean, variance.
/// Source: Ioffe and Szegedy 2015.
constexpr Value batch_norm(Graph& graph, Value src, BatchNormOptions options = {}) {
  const int outer = open_scope(graph, "BatchNorm");
  const std::array<int, 4> extents{channels(graph, src), 1, 1, 1};
  const int scale = add_parameter(graph, "scale", extents, 1, Init::ones);
  const int shift = add_parameter(graph, "shift", extents, 1, Init::zeros);
  const int mean = add_parameter(graph, "mean", extents, 1, Init::zeros, 1, false);
  const int variance = add_parameter(graph, "variance", extents, 1, Init::ones, 1, false);
  const Value dst = add_node(graph, batch_norm_op, pack(options), {src}, {scale, shift, mean, variance});
  close_scope(graph, outer);
  return dst;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
