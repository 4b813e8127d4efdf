// The oracle: a naive interpreter of graphs in double precision, the truth for every op, pass and execution.
#pragma once

#include "array.hpp"
#include "call.hpp"
#include "ops.hpp"

#include <posemachine/core/geometry.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/input.hpp>
#include <posemachine/graph/sizes.hpp>

#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace posemachine::reference {

using Inputs = std::map<std::string, Array>;
using Parameters = std::vector<std::vector<double>>;  // by parameter id, row-major

/// What a run leaves behind.
struct Result {
  std::vector<Array> values;  // of every value of the graph, by id
  Parameters gradients;       // of every parameter: zeros where the graph computes none
  Parameters parameters;      // as given, after batch norm in training has moved its running statistics

  const Array& operator[](Value value) const { return values[static_cast<std::size_t>(value.id)]; }
};

namespace detail {

inline const Array& named_input(const Inputs& inputs, const Graph& graph, int value, const Array& shape) {
  for (const Port& port : graph.inputs) {
    if (port.value != value) continue;
    const std::string name(name_text(graph, port.name));
    const auto found = inputs.find(name);
    if (found == inputs.end()) throw std::invalid_argument("oracle: input " + name + " is missing");
    const Array& given = found->second;
    if (given.n != shape.n || given.c != shape.c || given.h != shape.h || given.w != shape.w ||
        given.values.size() != shape.values.size()) {
      throw std::invalid_argument("oracle: input " + name + " has another shape");
    }
    return given;
  }
  throw std::invalid_argument("oracle: value " + std::to_string(value) + " is no input");
}

}  // namespace detail

/// Runs every node in order. Shapes: inputs (batch, C, image) and, for gradients, that of the value they belong to.
/// Errors: std::invalid_argument for a missing or misshapen input or parameter or an unknown operation.
inline Result run(const Graph& graph, int batch, Size image, const Inputs& inputs, const Parameters& parameters,
                  const Context& context = {}) {
  Result result{std::vector<Array>(graph.values.size()), Parameters(graph.parameters.size()), parameters};
  if (parameters.size() != graph.parameters.size()) throw std::invalid_argument("oracle: parameters are missing");
  for (std::size_t id = 0; id < parameters.size(); ++id) {
    if (parameters[id].size() != static_cast<std::size_t>(graph.parameters[id].size())) {
      throw std::invalid_argument("oracle: parameter " + std::to_string(id) + " has another size");
    }
    result.gradients[id].resize(parameters[id].size());
  }
  const std::vector<Size> sizes = infer_sizes(graph, image);
  for (std::size_t index = 0; index < graph.nodes.size(); ++index) {
    const Node& node = graph.nodes[index];
    Array* dst = nullptr;
    if (node.dst >= 0) {
      const auto id = static_cast<std::size_t>(node.dst);
      result.values[id] = zeros(batch, graph.values[id].channels, sizes[id].height, sizes[id].width);
      dst = &result.values[id];
    }
    if (node.op == &input_op) {
      *dst = detail::named_input(inputs, graph, node.dst, *dst);
      continue;
    }
    const ReferenceOp* reference = find_reference_op(*node.op);
    if (reference == nullptr) throw std::invalid_argument("oracle: no such operation: " + std::string(node.op->name));
    Call call{graph, context, static_cast<int>(index), {}, nullptr, dst, {}, {}};
    for (int i = 0; i < node.inputs.count; ++i) call.inputs.push_back(&result[input(graph, node, i)]);
    for (int i = 0; i < node.parameters.count; ++i) {
      const auto id = static_cast<std::size_t>(parameter_id(graph, node, i));
      call.parameters.push_back(&result.parameters[id]);
      call.gradients.push_back(&result.gradients[id]);
    }
    if (node.forward >= 0) {
      call.forward_src = &result[input(graph, graph.nodes[static_cast<std::size_t>(node.forward)], 0)];
    }
    reference->compute(call);
  }
  return result;
}

/// The value of an output, by the name output_name() gives it. Errors: std::invalid_argument.
inline Value output_value(const Graph& graph, const std::string& name) {
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    if (output_name(graph, i) == name) return {graph.outputs[i].value};
  }
  throw std::invalid_argument("oracle: no output " + name);
}

}  // namespace posemachine::reference
