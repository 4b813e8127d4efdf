// The moving average of a network's weights.
#pragma once

#include <posemachine/base/parallel.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// average = d average + (1 - d) weights after every step, batch norm's statistics included; d = decay, but no more
/// than (1 + steps) / (10 + steps), so that the first values are soon forgotten. Source: Polyak and Juditsky 1992, in
/// the exponential form of TensorFlow's ExponentialMovingAverage.
class WeightAverage {
 public:
  /// decay 0: nothing is averaged, and nothing kept.
  WeightAverage(double decay, const std::vector<Tensor>& parameters) : decay_(decay) {
    if (decay > 0) average_ = parameters;
  }

  bool is_kept() const { return decay_ > 0; }

  /// `step` counts from 0. The bytes do not depend on the workers.
  void update(const std::vector<Tensor>& parameters, std::int64_t step, Workers& workers) {
    if (!is_kept()) return;
    const double steps = static_cast<double>(step + 1);
    const auto fresh = static_cast<float>(1 - std::min(decay_, (1 + steps) / (10 + steps)));
    workers.for_each(static_cast<int>(average_.size()), [&](int index, int) {
      std::vector<float>& average = average_[static_cast<std::size_t>(index)].values;
      const std::vector<float>& values = parameters[static_cast<std::size_t>(index)].values;
      for (std::size_t i = 0; i < average.size(); ++i) average[i] += fresh * (values[i] - average[i]);
    });
  }

  /// By parameter id; none where nothing is averaged.
  const std::vector<Tensor>& tensors() const { return average_; }

  /// Goes on from kept values. Errors: ModelError where they are not those of this network.
  void restore(std::vector<Tensor> average) {
    bool fits = average.size() == average_.size();
    for (std::size_t id = 0; fits && id < average.size(); ++id) fits = average[id].shape == average_[id].shape;
    if (!fits) {
      fail<ModelError>({.where = "average of weights",
                        .expected = "what the options keep for this network",
                        .got = "other tensors"});
    }
    average_ = std::move(average);
  }

 private:
  double decay_;
  std::vector<Tensor> average_;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
