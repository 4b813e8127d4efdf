// Inputs and parameters for a graph, a function of the seed; floats exactly, so that engine and oracle see the same.
#pragma once

#include "array.hpp"
#include "oracle.hpp"

#include <posemachine/core/geometry.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/sizes.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine::reference {

/// What run() needs besides the graph.
struct Filling {
  Inputs inputs;
  Parameters parameters;
};

inline double as_float(double value) { return static_cast<double>(static_cast<float>(value)); }

/// A value for a parameter such as a trained network has: weights of He's size, scales and variances away from 0.
inline double draw_parameter(const Parameter& parameter, std::string_view name, RandomStream& stream) {
  const double normal = stream.normal();
  if (name == "weights") return as_float(normal * std::sqrt(2.0 / parameter.fan_in));
  if (name == "scale") return as_float(1 + 0.25 * normal);
  if (name == "variance") return as_float(0.25 + normal * normal);
  return as_float(0.3 * normal);
}

inline Parameters fill_parameters(const Graph& graph, std::uint64_t seed) {
  Parameters all(graph.parameters.size());
  for (std::size_t id = 0; id < all.size(); ++id) {
    const Parameter& parameter = graph.parameters[id];
    RandomStream stream(seed, Purpose::test, 1, id);
    all[id].resize(static_cast<std::size_t>(parameter.size()));
    for (double& value : all[id]) value = draw_parameter(parameter, name_text(graph, parameter.name), stream);
  }
  return all;
}

/// Inputs in [-1, 1), diff_<output> of differentiate() too. A graph and its differentiate() get the same numbers.
inline Filling fill(const Graph& graph, int batch, Size image, std::uint64_t seed) {
  Filling filling;
  const std::vector<Size> sizes = infer_sizes(graph, image);
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    const auto id = static_cast<std::size_t>(graph.inputs[i].value);
    RandomStream stream(seed, Purpose::test, 2, i);
    Array array = zeros(batch, graph.values[id].channels, sizes[id].height, sizes[id].width);
    for (double& value : array.values) value = as_float(stream.uniform(-1, 1));
    filling.inputs.emplace(std::string(name_text(graph, graph.inputs[i].name)), std::move(array));
  }
  filling.parameters = fill_parameters(graph, seed);
  return filling;
}

}  // namespace posemachine::reference
