// The definitions of training/weight_average.hpp.
#pragma once

#include <posemachine/training/weight_average.hpp>

#include <posemachine/core/error.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE WeightAverage::WeightAverage(double decay, const std::vector<Tensor>& parameters) : decay_(decay) {
  if (decay > 0) average_ = parameters;
}

POSEMACHINE_INLINE void WeightAverage::update(const std::vector<Tensor>& parameters, std::int64_t step,
                                              Workers& workers) {
  if (!is_kept()) return;
  const double steps = static_cast<double>(step + 1);
  const auto fresh = static_cast<float>(1 - std::min(decay_, (1 + steps) / (10 + steps)));
  workers.for_each(static_cast<int>(average_.size()), [&](int index, int) {
    std::vector<float>& average = average_[static_cast<std::size_t>(index)].values;
    const std::vector<float>& values = parameters[static_cast<std::size_t>(index)].values;
    for (std::size_t i = 0; i < average.size(); ++i) average[i] += fresh * (values[i] - average[i]);
  });
}

POSEMACHINE_INLINE void WeightAverage::restore(std::vector<Tensor> average) {
  bool fits = average.size() == average_.size();
  for (std::size_t id = 0; fits && id < average.size(); ++id) fits = average[id].shape == average_[id].shape;
  if (!fits) {
    fail<ModelError>(
        {.where = "average of weights", .expected = "what the options keep for this network", .got = "other tensors"});
  }
  average_ = std::move(average);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
