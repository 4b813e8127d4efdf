// The moving average of a network's weights.
#pragma once

#include <posemachine/base/parallel.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>

#include <cstdint>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// average = d average + (1 - d) weights after every step, batch norm's statistics included; d = decay, but no more
/// than (1 + steps) / (10 + steps), so that the first values are soon forgotten. Source: Polyak and Juditsky 1992, in
/// the exponential form of TensorFlow's ExponentialMovingAverage.
class WeightAverage {
 public:
  /// decay 0: nothing is averaged, and nothing kept.
  WeightAverage(double decay, const std::vector<Tensor>& parameters);

  bool is_kept() const { return decay_ > 0; }

  /// `step` counts from 0. The bytes do not depend on the workers.
  void update(const std::vector<Tensor>& parameters, std::int64_t step, Workers& workers);

  /// By parameter id; none where nothing is averaged.
  const std::vector<Tensor>& tensors() const { return average_; }

  /// Goes on from kept values. Errors: ModelError where they are not those of this network.
  void restore(std::vector<Tensor> average);

 private:
  double decay_;
  std::vector<Tensor> average_;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/weight_average.ipp>
#endif
