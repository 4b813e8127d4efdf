// Executions against the oracle: outputs, gradients and statistics of one network.
#pragma once

#include "engine/run_graph.hpp"
#include "reference/kinks.hpp"

#include <posemachine/engine/execution.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/batch_norm.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace engine_test {

using namespace posemachine;
using namespace posemachine::schedule;
using namespace posemachine::engine;

// The project's figures. A single operation must be nearer to the oracle.
inline constexpr double forward_tolerance = 1e-5;
inline constexpr double gradient_tolerance = 1e-3;

// `planned`, if there is one, is what the execution runs: the same network from a file, or of other operations.
inline void check_forward(const Graph& graph, int batch, Size image, const ProgramOptions& base,
                          const std::string& what, double tolerance = forward_tolerance,
                          const Graph* planned = nullptr) {
  const auto filling = reference::fill(graph, batch, image, 11);
  ProgramOptions options = base;
  options.batch = batch;
  options.image = image;
  reference::Context context;
  context.training = options.mode == Mode::training;
  context.seed = 5;
  context.step = 3;
  const auto truth = reference::run(graph, batch, image, filling.inputs, filling.parameters, context);
  const auto ours = run_graph(planned != nullptr ? *planned : graph, filling, options, {5, 3, 0});
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    const double error = relative_error(ours.outputs[i], truth[Value{graph.outputs[i].value}].values);
    CHECK_MESSAGE(error < tolerance, what << " output " << i << " error " << error);
  }
}

// Mean and biased variance of the slice, which stand where the buffers' gradients would.
inline void check_statistics(const Graph& network, const reference::Result& truth, const RunResult& ours,
                             const std::string& what) {
  for (const Node& node : network.nodes) {
    if (node.op != &batch_norm_op || is_frozen_batch_norm(network, node)) continue;
    const reference::Moments moments = reference::moments(truth[input(network, node, 0)]);
    const std::string name = what + " statistics of " + parameter_name(network, parameter_id(network, node, 0));
    const auto of = [&](int which) -> const std::vector<float>& {
      return ours.gradients[static_cast<std::size_t>(parameter_id(network, node, which))];
    };
    const double spread = std::sqrt(*std::max_element(moments.variance.begin(), moments.variance.end()));
    CHECK_MESSAGE(relative_error(of(2), moments.mean, spread) < forward_tolerance, name);
    CHECK_MESSAGE(relative_error(of(3), moments.variance) < forward_tolerance, name);
  }
}

// By parameter, the largest gradient of any parameter of its node. A bias's gradient is the sum of the terms whose
// products with src make those of the weights: where they cancel, its rounding errors stay.
inline std::vector<double> largest_of_nodes(const Graph& graph, const reference::Result& truth) {
  std::vector<double> all(graph.parameters.size(), 0);
  for (const Node& node : graph.nodes) {
    double largest = 0;
    for (const int id : parameter_ids(graph, node)) {
      for (const double value : truth.gradients[static_cast<std::size_t>(id)])
        largest = std::max(largest, std::abs(value));
    }
    for (const int id : parameter_ids(graph, node)) {
      all[static_cast<std::size_t>(id)] = std::max(all[static_cast<std::size_t>(id)], largest);
    }
  }
  return all;
}

// Forward in training mode, gradients of inputs and parameters, statistics of batch norm. False, and nothing checked,
// where rounding may take the other side of a kink.
inline bool check_gradients(const Graph& network, int batch, Size image, ProgramOptions options,
                            const std::string& what, std::uint64_t seed = 12, const Graph* planned = nullptr) {
  const Graph graph = differentiate(network, {.input_gradients = true});
  const auto filling = reference::fill(graph, batch, image, seed);
  reference::Context context;
  context.training = true;
  context.seed = 5;
  context.step = 3;
  const auto truth = reference::run(graph, batch, image, filling.inputs, filling.parameters, context);
  if (reference::nearest_kink(network, truth) < 1e-5) return false;
  options.batch = batch;
  options.image = image;
  options.mode = Mode::training;
  const auto ours = run_graph(planned != nullptr ? differentiate(*planned, {.input_gradients = true}) : graph, filling,
                              options, {5, 3, 0});
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    const double error = relative_error(ours.outputs[i], truth[Value{graph.outputs[i].value}].values);
    const double tolerance = i < network.outputs.size() ? forward_tolerance : gradient_tolerance;
    CHECK_MESSAGE(error < tolerance, what << " " << output_name(graph, i) << " error " << error);
  }
  // A bias before batch norm has the gradient 0 but for rounding: errors are measured against the network's largest
  // one.
  double largest = 0;
  for (const auto& gradient : truth.gradients) {
    for (const double value : gradient) largest = std::max(largest, std::abs(value));
  }
  const std::vector<double> floors = largest_of_nodes(graph, truth);
  for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
    if (!graph.parameters[id].trainable || ours.gradients[id].empty()) continue;
    const double error = relative_error(ours.gradients[id], truth.gradients[id], std::max(1e-3 * largest, floors[id]));
    CHECK_MESSAGE(error < gradient_tolerance,
                  what << " " << parameter_name(graph, static_cast<int>(id)) << " error " << error);
  }
  check_statistics(network, truth, ours, what);
  return true;
}

/// Options of programs with all passes, with each one off, with memory of its own for every buffer, and with none of it.
inline std::vector<ProgramOptions> pass_choices() {
  std::vector<ProgramOptions> choices(1);
  for (const SchedulePass& pass : library_schedule_passes) {
    choices.emplace_back().passes = SchedulePasses().without(pass.name);
  }
  choices.emplace_back().reuse_memory = false;
  choices.emplace_back().passes = SchedulePasses::none();
  choices.back().reuse_memory = false;
  return choices;
}

}  // namespace engine_test
