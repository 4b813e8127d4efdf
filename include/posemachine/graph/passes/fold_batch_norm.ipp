// The definitions of graph/passes/fold_batch_norm.hpp.
#pragma once

#include <posemachine/graph/passes/fold_batch_norm.hpp>

#include <posemachine/graph/ops/batch_norm.hpp>
#include <posemachine/graph/ops/convolution.hpp>
#include <posemachine/graph/passes/drop_dead.hpp>
#include <posemachine/graph/passes/redirect.hpp>

#include <cmath>
#include <cstddef>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// weights *= f, bias = (bias - mean) f + shift, with f = scale / sqrt(variance + epsilon), each per output channel.
POSEMACHINE_INLINE void fold_into(Tensor& weights, Tensor& bias, const Tensor& scale, const Tensor& shift,
                                  const Tensor& mean, const Tensor& variance, double epsilon_value) {
  const std::size_t per_channel = weights.values.size() / bias.values.size();
  for (std::size_t channel = 0; channel < bias.values.size(); ++channel) {
    const double factor = scale.values[channel] / std::sqrt(double{variance.values[channel]} + epsilon_value);
    for (std::size_t i = 0; i < per_channel; ++i) {
      float& weight = weights.values[channel * per_channel + i];
      weight = static_cast<float>(weight * factor);
    }
    const double moved = (double{bias.values[channel]} - mean.values[channel]) * factor + shift.values[channel];
    bias.values[channel] = static_cast<float>(moved);
  }
}

}  // namespace detail

POSEMACHINE_INLINE void fold_batch_norm(Graph& graph, std::vector<Tensor>& parameters) {
  std::vector<int> readers(graph.values.size(), 0);
  std::vector<int> owners(graph.parameters.size(), 0);
  for (const Node& node : graph.nodes) {
    for (int k = 0; k < node.inputs.count; ++k) ++readers[static_cast<std::size_t>(input(graph, node, k).id)];
    for (int k = 0; k < node.parameters.count; ++k) ++owners[static_cast<std::size_t>(parameter_id(graph, node, k))];
  }
  for (const Port& port : graph.outputs) ++readers[static_cast<std::size_t>(port.value)];

  const bool has_values = !parameters.empty();
  detail::Redirections redirections(graph);
  for (const Node& node : graph.nodes) {
    if (node.op->kind() != OpKind::batch_norm) continue;
    const Value src = input(graph, node, 0);
    Node& producer = graph.nodes[static_cast<std::size_t>(info(graph, src).producer)];
    if (producer.op->kind() != OpKind::convolution || readers[static_cast<std::size_t>(src.id)] != 1) continue;
    bool shared = false;
    for (int k = 0; k < producer.parameters.count; ++k) {
      shared = shared || owners[static_cast<std::size_t>(parameter_id(graph, producer, k))] > 1;
    }
    if (shared) continue;

    auto options = unpack<ConvolutionOptions>(producer.options);
    const int weights = parameter_id(graph, producer, 0);
    int bias = options.bias != 0 ? parameter_id(graph, producer, 1) : -1;
    if (bias < 0) {
      bias = static_cast<int>(graph.parameters.size());
      const int scope = graph.parameters[static_cast<std::size_t>(weights)].scope;
      graph.parameters.push_back({scope, intern(graph, "bias"), {options.out, 1, 1, 1}, 1, Init::zeros, 1, true});
      owners.push_back(1);
      if (has_values) parameters.emplace_back(Shape{options.out});
      producer.parameters = {static_cast<int>(graph.operands.size()), 2};
      graph.operands.push_back(weights);
      graph.operands.push_back(bias);
      options.bias = 1;
      producer.options = pack(options);
    }
    redirections.add({node.dst}, src);
    if (!has_values) continue;
    const auto tensor = [&](int id) -> Tensor& { return parameters[static_cast<std::size_t>(id)]; };
    detail::fold_into(tensor(weights), tensor(bias), tensor(parameter_id(graph, node, 0)),
                      tensor(parameter_id(graph, node, 1)), tensor(parameter_id(graph, node, 2)),
                      tensor(parameter_id(graph, node, 3)), epsilon(unpack<BatchNormOptions>(node.options)));
  }
  redirections.apply(graph);
  drop_dead(graph, parameters);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
