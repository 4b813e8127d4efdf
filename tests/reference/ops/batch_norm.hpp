// The oracle's batch norm: statistics of the batch in training, the running ones in inference.
#pragma once

#include "../call.hpp"

#include <posemachine/graph/ops/batch_norm.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

namespace posemachine::reference {

/// Mean and biased variance, per channel, over images and cells.
struct Moments {
  std::vector<double> mean;
  std::vector<double> variance;
};

inline Moments moments(const Array& src) {
  const double count = static_cast<double>(src.n) * src.h * src.w;
  const auto channel_count = static_cast<std::size_t>(src.c);
  Moments result{std::vector<double>(channel_count), std::vector<double>(channel_count)};
  for_each_element(src, [&](int image, int c, int y, int x) {
    result.mean[static_cast<std::size_t>(c)] += src.at(image, c, y, x) / count;
  });
  for_each_element(src, [&](int image, int c, int y, int x) {
    const double off = src.at(image, c, y, x) - result.mean[static_cast<std::size_t>(c)];
    result.variance[static_cast<std::size_t>(c)] += off * off / count;
  });
  return result;
}

// In training, unless it is frozen, the statistics are those of the batch.
inline bool uses_batch(const Call& call) {
  return call.context.training && !is_frozen_batch_norm(call.graph, call.node());
}

// Parameters in order: scale, shift, mean, variance.
inline Moments moments_used(const Call& call, const Array& src) {
  return uses_batch(call) ? moments(src) : Moments{*call.parameters[2], *call.parameters[3]};
}

inline void batch_norm(const Call& call) {
  const auto options = unpack<BatchNormOptions>(call.node().options);
  const Array& src = call.src(0);
  const Moments used = moments_used(call, src);
  for_each_element(src, [&](int image, int c, int y, int x) {
    const auto i = static_cast<std::size_t>(c);
    const double normal = (src.at(image, c, y, x) - used.mean[i]) / std::sqrt(used.variance[i] + epsilon(options));
    call.dst->at(image, c, y, x) = (*call.parameters[0])[i] * normal + (*call.parameters[1])[i];
  });
  if (!uses_batch(call)) return;
  // The running variance is unbiased, as PyTorch's; of a single number it stays as it is.
  const double count = static_cast<double>(src.n) * src.h * src.w;
  const double unbiased = count > 1 ? count / (count - 1) : 1;
  const double weight = momentum(options);
  for (std::size_t i = 0; i < used.mean.size(); ++i) {
    double& running_mean = (*call.parameters[2])[i];
    double& running_variance = (*call.parameters[3])[i];
    running_mean = (1 - weight) * running_mean + weight * used.mean[i];
    running_variance = (1 - weight) * running_variance + weight * unbiased * used.variance[i];
  }
}

inline void batch_norm_backward(const Call& call) {
  const auto options = unpack<BatchNormOptions>(call.node().options);
  const Array& src = call.src(0);
  const Array& diff_dst = call.src(1);
  const Moments used = moments_used(call, src);
  const double count = static_cast<double>(src.n) * src.h * src.w;
  for (int c = 0; c < src.c; ++c) {
    const auto i = static_cast<std::size_t>(c);
    const double inverse = 1 / std::sqrt(used.variance[i] + epsilon(options));
    const auto for_each_cell = [&](auto f) {
      for (int image = 0; image < src.n; ++image) {
        for (int y = 0; y < src.h; ++y) {
          for (int x = 0; x < src.w; ++x) {
            f(image, y, x, (src.at(image, c, y, x) - used.mean[i]) * inverse, diff_dst.at(image, c, y, x));
          }
        }
      }
    };
    double diff_scale = 0;
    double diff_shift = 0;
    for_each_cell([&](int, int, int, double normal, double diff) {
      diff_scale += diff * normal;
      diff_shift += diff;
    });
    const double factor = (*call.parameters[0])[i] * inverse;
    for_each_cell([&](int image, int y, int x, double normal, double diff) {
      // In training mean and variance move with src, which takes its share away again.
      const double share = uses_batch(call) ? (diff_shift + normal * diff_scale) / count : 0;
      call.dst->at(image, c, y, x) = factor * (diff - share);
    });
    (*call.gradients[0])[i] += diff_scale;
    (*call.gradients[1])[i] += diff_shift;
  }
}

inline constexpr std::array batch_norm_reference{
    ReferenceOp{&batch_norm_op, batch_norm},
    ReferenceOp{&batch_norm_backward_op, batch_norm_backward},
};

}  // namespace posemachine::reference
