// The definitions of model/initialise.hpp.
#pragma once

#include <posemachine/model/initialise.hpp>

#include <posemachine/core/random.hpp>

#include <cmath>
#include <optional>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// What a parameter's first values are drawn from: uniform within `scale`, or normal of that deviation.
struct Distribution {
  double scale = 1;
  bool uniform = false;
};

// None where they are constant.
POSEMACHINE_INLINE std::optional<Distribution> distribution(const Parameter& parameter) {
  switch (parameter.init) {
    case Init::he_normal: return Distribution{std::sqrt(2.0 / parameter.fan_in)};
    case Init::lecun_normal: return Distribution{std::sqrt(1.0 / parameter.fan_in)};
    case Init::fan_in_uniform: return Distribution{std::sqrt(1.0 / parameter.fan_in), true};
    case Init::near_zero: return Distribution{0.001};
    case Init::zeros:
    case Init::ones:
    case Init::quarters: break;
  }
  return std::nullopt;
}

}  // namespace detail

POSEMACHINE_INLINE std::vector<Tensor> initialise(const Graph& graph, std::uint64_t seed) {
  std::vector<Tensor> tensors;
  for (const Parameter& parameter : graph.parameters) {
    const auto first = parameter.extents.begin();
    const float constant = parameter.init == Init::ones ? 1.0f : parameter.init == Init::quarters ? 0.25f : 0.0f;
    Tensor tensor(Shape(first, first + parameter.rank), constant);
    if (const auto draw = detail::distribution(parameter)) {
      RandomStream stream(seed, Purpose::weights, 0, 0, tensors.size());
      for (float& value : tensor.values)
        value = static_cast<float>(draw->uniform ? draw->scale * stream.uniform(-1, 1) : draw->scale * stream.normal());
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
