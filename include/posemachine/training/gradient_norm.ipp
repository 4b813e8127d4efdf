// The definitions of training/gradient_norm.hpp.
#pragma once

#include <posemachine/training/gradient_norm.hpp>

#include <cmath>
#include <cstddef>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE double gradient_norm(const std::vector<Tensor>& gradients, const std::vector<bool>& counts,
                                        Workers& workers) {
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

POSEMACHINE_INLINE void clip_gradients(std::vector<Tensor>& gradients, double norm, double most, Workers& workers) {
  if (!(norm > most)) return;
  const auto scale = static_cast<float>(most / norm);
  workers.for_each(static_cast<int>(gradients.size()), [&](int index, int) {
    for (float& value : gradients[static_cast<std::size_t>(index)].values) value *= scale;
  });
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
