// check_gradients: whether backward kernels compute the slopes of forward ones.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>

#include <cstdint>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

struct GradientCheckOptions {
  int batch = 2;
  int samples = 12;         // elements compared of each input and trainable parameter, at most
  double step = 0.005;      // of the central differences; values are drawn of size 1
  double tolerance = 1e-2;  // of a tensor's largest gradient
  std::uint64_t seed = 1;
};

/// What was compared. An element is skipped where two steps see different slopes: a kink, as ReLU's, is near.
struct GradientCheck {
  int checked = 0;
  int skipped = 0;
  double worst = 0;      // the largest error, relative to the largest gradient of its tensor
  std::string worst_at;  // "image[17]", "Conv_1.weights[3]"
};

/// Compares the gradients that a network's training execution computes with central differences of its forward pass, in
/// single precision, at some elements of every input and trainable parameter: how the author of an operation tells that
/// its backward kernel belongs to its forward one. The loss is a random linear function of all outputs.
/// Errors: RuntimeFailure naming the worst element where an error exceeds the tolerance, or where nothing could be
/// compared because kinks are everywhere; those of Execution.
GradientCheck check_gradients(const Graph& network, Size image, const GradientCheckOptions& options = {});

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/check_gradients.ipp>
#endif
