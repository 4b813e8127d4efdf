// check_gradients: whether backward kernels compute the slopes of forward ones.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/plain_gradients.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/model/initialise.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

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

namespace detail {

// A network's training execution with random numbers in it, whose loss is a random linear function of all outputs.
class GradientChecker {
 public:
  GradientChecker(const Graph& network, Size image, const GradientCheckOptions& options);

  GradientCheck check();

 private:
  static ProgramOptions program_options(Size image, const GradientCheckOptions& options);

  // Zeros where no output depends on it.
  std::vector<float> input_gradient(const Port& port) const;
  std::size_t plan_input_size(const Port& port) const;

  double loss();

  double slope_at(float& element, double step);

  void check_tensor(const std::string& name, std::span<float> tensor, const std::vector<float>& slopes,
                    std::uint64_t which);

  const Graph& network_;
  GradientCheckOptions options_;
  Graph graph_;
  std::shared_ptr<std::vector<Tensor>> parameters_;
  std::shared_ptr<PreparedWeights> weights_;
  Execution execution_;
  GradientCheck report_;
};

}  // namespace detail

/// Compares the gradients that a network's training execution computes with central differences of its forward pass, in
/// single precision, at some elements of every input and trainable parameter: how the author of an operation tells that
/// its backward kernel belongs to its forward one. The loss is a random linear function of all outputs.
/// Errors: RuntimeFailure naming the worst element where an error exceeds the tolerance, or where nothing could be
/// compared because kinks are everywhere; those of Execution.
GradientCheck check_gradients(const Graph& network, Size image, const GradientCheckOptions& options = {});

}  // namespace posemachine::inline POSEMACHINE_BUILD

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/check_gradients.ipp>
#endif
