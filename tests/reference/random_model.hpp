// A model with random weights whose maps are as high as a trained network's.
#pragma once

#include <posemachine/graph/graph.hpp>
#include <posemachine/model/initialise.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/model_spec.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace posemachine::reference {

/// As Model::random, but with weights that keep the size of what goes through, heads included: maps that are nearly
/// empty would make comparisons that cannot fail.
inline Model random_model(std::string name, const Graph& graph, std::uint64_t seed, ModelSpec spec) {
  Graph louder = graph;
  for (Parameter& parameter : louder.parameters) {
    if (parameter.init == Init::near_zero) parameter.init = Init::lecun_normal;
    // Batch norm's first statistics are those of nobody's data: nothing restores what small weights take away.
    if (parameter.init == Init::fan_in_uniform) parameter.init = Init::he_normal;
  }
  spec.heatmaps = output_names(graph);
  return Model(std::move(name), graph, initialise(louder, seed), std::move(spec));
}

}  // namespace posemachine::reference
