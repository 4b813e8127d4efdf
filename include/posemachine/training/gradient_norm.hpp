// The length of a gradient, and cutting it.
#pragma once

#include <posemachine/base/parallel.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// The Euclidean length over those tensors that count: not finite where any number is not. The bytes do not depend on
/// the workers. Shapes: one entry of `counts` a tensor.
inline double gradient_norm(const std::vector<Tensor>& gradients, const std::vector<bool>& counts, Workers& workers) {
  std::vector<double> squares(gradients.size(), 0);
  workers.for_each(static_cast<int>(gradients.size()), [&](int index, int) {
    const auto id = static_cast<std::size_t>(index);
    if (!counts[id]) return;
    double sum = 0;
    for (const float value : gradients[id].values) sum += double{value} * double{value};
    squares[id] = sum;
  });
  double total = 0;
  for (const double square : squares) total += square;  // in the order of the ids
  return std::sqrt(total);
}

/// Makes gradients of length `norm` at most `most` long, in their direction.
/// Source: Pascanu et al. 2013, On the difficulty of training recurrent neural networks.
inline void clip_gradients(std::vector<Tensor>& gradients, double norm, double most, Workers& workers) {
  if (!(norm > most)) return;
  const auto scale = static_cast<float>(most / norm);
  workers.for_each(static_cast<int>(gradients.size()), [&](int index, int) {
    for (float& value : gradients[static_cast<std::size_t>(index)].values) value *= scale;
  });
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
