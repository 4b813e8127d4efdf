// NetworkDescription: a network without weights, from the library or from a file.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/pose/model_spec.hpp>

#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// What a model is made from: Model::random(description, seed).
struct NetworkDescription {
  std::string name;
  Graph graph;
  ModelSpec spec;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
