// First values of parameters, as each operation states them.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// One tensor a parameter, by id, drawn from (seed, parameter). Sources: see Init.
inline std::vector<Tensor> initialise(const Graph& graph, std::uint64_t seed) {
  std::vector<Tensor> tensors;
  for (const Parameter& parameter : graph.parameters) {
    const auto first = parameter.extents.begin();
    const float constant = parameter.init == Init::ones ? 1.0f : parameter.init == Init::quarters ? 0.25f : 0.0f;
    Tensor tensor(Shape(first, first + parameter.rank), constant);
    const bool normal = parameter.init == Init::he_normal || parameter.init == Init::lecun_normal;
    if (normal) {
      const double deviation = std::sqrt((parameter.init == Init::he_normal ? 2.0 : 1.0) / parameter.fan_in);
      RandomStream stream(seed, Purpose::weights, 0, 0, tensors.size());
      for (float& value : tensor.values) value = static_cast<float>(deviation * stream.normal());
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
