// BatchExecution: several images on executions of one image each, side by side.
#pragma once

#include <posemachine/base/parallel.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/engine/program_step.hpp>
#include <posemachine/graph/graph.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

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
  BatchExecution(const Graph& graph, const std::shared_ptr<PreparedWeights>& weights, const ProgramOptions& options)
      : options_(options), workers_(options.batch >= options.threads ? options.threads : 1) {
    if (options.mode != Mode::inference) {
      fail<UsageError>({.where = "BatchExecution", .expected = "Mode::inference", .got = "training"});
    }
    if (options.batch < 1) {
      fail<UsageError>({.where = "program: batch", .expected = "at least 1", .got = std::to_string(options.batch)});
    }
    ProgramOptions single = options;
    single.batch = 1;
    if (workers_.threads() > 1) single.threads = 1;
    const auto program = std::make_shared<const Program>(graph, single);
    require_bounded(*program);
    while (executions_.size() < static_cast<std::size_t>(workers_.threads())) {
      executions_.push_back(std::make_unique<Execution>(program, weights));
    }
    for (const Port& port : graph.inputs) inputs_.push_back({port.value, buffer(program->shape({port.value}))});
    for (const Port& port : graph.outputs) outputs_.push_back(buffer(program->shape({port.value})));
  }

  const Graph& graph() const { return executions_.front()->graph(); }
  const ProgramOptions& options() const { return options_; }

  /// At each image: all there are, or 1 where every thread has images for itself.
  int threads_per_image() const { return executions_.front()->options().threads; }

  /// What runs for one image, in order.
  std::vector<ProgramStep> steps() const { return executions_.front()->steps(); }

  /// All that the executions hold together, and inputs and outputs of the batch.
  std::size_t bytes() const {
    std::size_t total = 0;
    for (const auto& execution : executions_) total += execution->bytes();
    for (const Input& input : inputs_) total += input.values.size() * sizeof(float);
    for (const std::vector<float>& output : outputs_) total += output.size() * sizeof(float);
    return total;
  }

  /// The caller's side of an input, to be filled before run(). Shapes: (N, C, H, W) plain.
  std::span<float> input(std::string_view name) { return input(executions_.front()->input_value(name)); }
  std::span<float> input(Value value) {
    for (Input& input : inputs_) {
      if (input.value == value.id) return input.values;
    }
    throw UsageError("this value is not an input of the program");
  }

  /// An output by its position in the graph. Shapes: (N, C, H, W) plain.
  std::span<const float> output(std::size_t index) const { return outputs_.at(index); }
  Shape output_shape(std::size_t index) const {
    Shape shape = executions_.front()->output_shape(index);
    shape[0] = options_.batch;
    return shape;
  }
  std::size_t output_count() const { return outputs_.size(); }

  /// Runs every image.
  void run() {
    workers_.for_each(options_.batch, [this](int image, int lane) {
      Execution& execution = *executions_[static_cast<std::size_t>(lane)];
      const auto part = [&](std::vector<float>& whole) {
        return whole.data() + whole.size() / static_cast<std::size_t>(options_.batch) * static_cast<std::size_t>(image);
      };
      for (Input& input : inputs_) execution.bind_input(Value{input.value}, part(input.values));
      for (std::size_t k = 0; k < outputs_.size(); ++k) execution.bind_output(k, part(outputs_[k]));
      execution.run();
    });
  }

 private:
  struct Input {
    int value = -1;
    std::vector<float> values;
  };

  // Before anything of that size is allocated: as many executions as threads, and inputs and outputs of all images.
  void require_bounded(const Program& program) const {
    double floats = 0;
    const auto count = [&](const Shape& shape) {
      double product = options_.batch;
      for (const std::int64_t extent : shape) product *= static_cast<double>(extent);
      floats += product;
    };
    for (const Port& port : program.graph().inputs) count(program.shape({port.value}));
    for (const Port& port : program.graph().outputs) count(program.shape({port.value}));
    const double total = floats * sizeof(float) + static_cast<double>(program.execution_bytes()) * workers_.threads();
    if (total <= static_cast<double>(options_.max_bytes)) return;
    const auto mebibytes = [](double bytes) { return std::to_string(static_cast<std::int64_t>(bytes / (1 << 20))); };
    fail<ModelError>({.where = "program",
                      .expected = "at most " + mebibytes(static_cast<double>(options_.max_bytes)) +
                                  " MiB (ProgramOptions::max_bytes)",
                      .got = mebibytes(total) + " MiB for " + std::to_string(options_.batch) + " images on " +
                             std::to_string(workers_.threads()) + " threads",
                      .remedy = "use a smaller batch, image or number of threads, or allow more"});
  }

  std::vector<float> buffer(const Shape& image) const {
    std::size_t floats = static_cast<std::size_t>(options_.batch);
    for (const std::int64_t extent : image) floats *= static_cast<std::size_t>(extent);
    return std::vector<float>(floats);
  }

  ProgramOptions options_;
  Workers workers_;
  std::vector<std::unique_ptr<Execution>> executions_;  // one a thread that has images for itself
  std::vector<Input> inputs_;
  std::vector<std::vector<float>> outputs_;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
