// BatchExecution: several images on executions of one image each, side by side.
#pragma once

#include <posemachine/base/parallel.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/engine/program_step.hpp>
#include <posemachine/graph/graph.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

/// Runs a batch of images for inference. An image by itself fits the caches and needs no copies where branches meet,
/// and a thread that has one for itself waits for no other: with at least as many images as threads, each thread takes
/// one after the other; with fewer images they come one after the other with all threads at each. So an image costs no
/// more in a batch than alone, and memory grows by its inputs and outputs only.
/// Belongs to one thread at a time, as executions do; weights are shared. An image's results do not depend on the
/// others of its batch.
class BatchExecution {
 public:
  /// options.batch images, options.threads threads in all. Errors: as Program's constructor; UsageError for training,
  /// whose executions have a batch of their own.
  BatchExecution(const Graph& graph, const std::shared_ptr<PreparedWeights>& weights, const ProgramOptions& options);

  const Graph& graph() const { return executions_.front()->graph(); }
  const ProgramOptions& options() const { return options_; }

  /// At each image: all there are, or 1 where every thread has images for itself.
  int threads_per_image() const { return executions_.front()->options().threads; }

  /// What runs for one image, in order.
  std::vector<ProgramStep> steps() const { return executions_.front()->steps(); }

  /// All that the executions hold together, and inputs and outputs of the batch.
  std::size_t bytes() const;

  /// The caller's side of an input, to be filled before run(). Shapes: (N, C, H, W) plain.
  std::span<float> input(std::string_view name) { return input(executions_.front()->input_value(name)); }
  std::span<float> input(Value value);

  /// An output by its position in the graph. Shapes: (N, C, H, W) plain.
  std::span<const float> output(std::size_t index) const { return outputs_.at(index); }
  Shape output_shape(std::size_t index) const;
  std::size_t output_count() const { return outputs_.size(); }

  /// Runs every image.
  void run();

 private:
  struct Input {
    int value = -1;
    std::vector<float> values;
  };

  // Before anything of that size is allocated: as many executions as threads, and inputs and outputs of all images.
  void require_bounded(const Program& program) const;
  std::vector<float> buffer(const Shape& image) const;

  ProgramOptions options_;
  Workers workers_;
  std::vector<std::unique_ptr<Execution>> executions_;  // one a thread that has images for itself
  std::vector<Input> inputs_;
  std::vector<std::vector<float>> outputs_;
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/batch_execution.ipp>
#endif
