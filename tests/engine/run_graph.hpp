// Runs a graph through an execution with the oracle's numbers, and compares both.
#pragma once

#include "reference/fill.hpp"
#include "reference/oracle.hpp"

#include <posemachine/engine/execution.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace engine_test {

namespace pm = posemachine;
namespace reference = posemachine::reference;

inline std::vector<pm::Tensor> as_tensors(const pm::Graph& graph, const reference::Parameters& parameters) {
  std::vector<pm::Tensor> tensors;
  for (std::size_t id = 0; id < parameters.size(); ++id) {
    const pm::Parameter& parameter = graph.parameters[id];
    pm::Tensor tensor(pm::Shape(parameter.extents.begin(), parameter.extents.begin() + parameter.rank));
    for (std::size_t i = 0; i < parameters[id].size(); ++i) tensor.values[i] = static_cast<float>(parameters[id][i]);
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

inline std::shared_ptr<pm::engine::PreparedWeights> weights_of(
    const pm::Graph& graph, const reference::Filling& filling,
    const pm::engine::Device& device = pm::engine::Device::cpu()) {
  return std::make_shared<pm::engine::PreparedWeights>(
      std::make_shared<const std::vector<pm::Tensor>>(as_tensors(graph, filling.parameters)), device);
}

// What was computed: outputs in the graph's order, gradients and statistics by parameter id (empty: not written).
struct RunResult {
  std::vector<std::vector<float>> outputs;
  std::vector<std::vector<float>> gradients;
  std::vector<pm::engine::ProgramStep> steps;
};

/// What the last run of an execution left in its own slice, in plain layout by parameter id.
inline std::vector<std::vector<float>> plain_gradients(const pm::engine::Execution& execution) {
  std::vector<std::vector<float>> gradients;
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  for (std::size_t id = 0; id < execution.graph().parameters.size(); ++id) {
    std::vector<float>& plain = gradients.emplace_back();
    const pm::Parameter& parameter = execution.graph().parameters[id];
    const pm::engine::GradientLayout::Entry& entry = execution.gradient_layout().entries[id];
    if (!entry.written) continue;
    plain.resize(static_cast<std::size_t>(parameter.size()));
    dnnl::memory from(entry.desc, engine, const_cast<float*>(execution.gradients().data()) + entry.offset);
    dnnl::memory to(pm::engine::detail::plain_desc(pm::engine::dims_of(entry.desc)), engine, plain.data());
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
  }
  return gradients;
}

inline RunResult run_graph(const pm::Graph& graph, const reference::Filling& filling,
                           const pm::engine::ProgramOptions& options, const pm::engine::RandomKey& draw = {}) {
  pm::engine::Execution execution(graph, weights_of(graph, filling, options.device), options);
  // First on not-a-number: what a run leaves in the arena, in padded channels above all, must not matter to the next.
  for (const pm::Port& port : graph.inputs) {
    const auto input = execution.input(pm::Value{port.value});
    std::fill(input.begin(), input.end(), std::numeric_limits<float>::quiet_NaN());
  }
  execution.run(draw);
  for (const auto& [name, array] : filling.inputs) {
    const auto input = execution.input(name);
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<float>(array.values[i]);
  }
  execution.run(draw);
  RunResult result;
  for (std::size_t i = 0; i < execution.output_count(); ++i) {
    const auto output = execution.output(i);
    result.outputs.emplace_back(output.begin(), output.end());
  }
  result.gradients = plain_gradients(execution);
  result.steps = execution.steps();
  return result;
}

/// The largest difference over the largest magnitude, which counts as `floor` at least.
inline double relative_error(const std::vector<float>& ours, const std::vector<double>& truth, double floor = 1e-6) {
  if (ours.size() != truth.size()) return 1e9;
  double largest = std::max(floor, 1e-6);
  double error = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    largest = std::max(largest, std::abs(truth[i]));
    error = std::max(error, std::abs(truth[i] - static_cast<double>(ours[i])));
    if (!std::isfinite(ours[i])) return 1e9;
  }
  return error / largest;
}

}  // namespace engine_test
