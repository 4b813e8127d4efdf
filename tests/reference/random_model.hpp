// A model with random weights whose maps are as high as a trained network's.
#pragma once

#include <posemachine/graph/graph.hpp>
#include <posemachine/model/initialise.hpp>
#include <posemachine/model/meaning.hpp>
#include <posemachine/model/model.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace posemachine::reference {

/// As Model::random, but heads that begin near zero have weights of LeCun's size: maps that are nearly empty would make
/// comparisons that cannot fail.
inline Model random_model(std::string name, const Graph& graph, std::uint64_t seed, Meaning meaning) {
  Graph louder = graph;
  for (Parameter& parameter : louder.parameters) {
    if (parameter.init == Init::near_zero) parameter.init = Init::lecun_normal;
  }
  meaning.heatmaps = output_names(graph);
  return Model(std::move(name), graph, initialise(louder, seed), std::move(meaning));
}

}  // namespace posemachine::reference
