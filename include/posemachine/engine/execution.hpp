// Execution: a program with memory of its own, for one thread at a time.
#pragma once

#include <posemachine/base/aligned_memory.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/device_memory.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/gradient_layout.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/engine/program.hpp>
#include <posemachine/engine/program_step.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

/// Runs a program. Programs and weights are shared between executions, memory is not. Not copyable.
class Execution {
 public:
  /// Errors: UsageError for weights in another memory than the program's device computes in; std::bad_alloc.
  Execution(std::shared_ptr<const Program> program, std::shared_ptr<PreparedWeights> weights);
  /// Of a program of its own. Errors: as Program's constructor.
  Execution(Graph graph, std::shared_ptr<PreparedWeights> weights, const ProgramOptions& options);
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  const std::shared_ptr<const Program>& program() const { return program_; }
  const Graph& graph() const { return program_->graph(); }
  const schedule::Schedule& schedule() const { return program_->schedule(); }
  const ProgramOptions& options() const { return program_->options(); }
  const GradientLayout& gradient_layout() const { return program_->gradient_layout(); }
  std::size_t arena_bytes() const { return program_->arena_bytes(); }
  std::size_t bytes() const { return program_->execution_bytes(); }
  std::vector<ProgramStep> steps() const { return program_->steps(); }

  /// The caller's side of an input, to be filled before run(). Shapes: (N, C, H, W) plain.
  std::span<float> input(std::string_view name) { return input(input_value(name)); }
  std::span<float> input(Value value);
  Shape input_shape(Value input) const { return program_->shape(input); }
  Value input_value(std::string_view name) const { return program_->input_value(name); }

  /// An output by its position in the graph. Shapes: (N, C, H, W) plain.
  std::span<const float> output(std::size_t index) const { return outputs_.at(index).values(); }
  Shape output_shape(std::size_t index) const { return program_->shape({outputs_.at(index).value}); }
  std::size_t output_count() const { return outputs_.size(); }

  /// Points an input at memory of the caller's from the next run on, so that nothing has to be copied; null: at
  /// input(value) again. Shapes: (N, C, H, W) plain. Errors: UsageError for a value that is no input.
  void bind_input(Value value, const float* data);

  /// Points an output at memory of the caller's, which the next runs write instead of output(index); null: that again.
  /// Shapes: as output_shape(index), plain. Errors: std::out_of_range where there is no such output.
  void bind_output(std::size_t index, float* data);

  /// Runs every step.
  void run(const RandomKey& key = {});

  /// Runs the steps before the first gradient input: the outputs are then ready, the gradients of them may be written.
  void run_forward(const RandomKey& key = {}) { run_steps(0, program_->forward_count(), key); }

  /// Runs the rest, which needs the gradients of all outputs and a bound slice.
  void run_backward(const RandomKey& key = {});

  /// Directs gradients and batch statistics of the next runs to `slice`, in the device's memory, aligned to 64 bytes.
  /// Before the first call they go to memory of the execution's own: gradients().
  void bind_gradients(float* slice);

  /// The execution's own slice.
  std::span<const float> gradients() const;

  /// Runs every step and waits for it. Shapes: one entry of `seconds` for each of steps(): how long it took, the copies
  /// of outputs that follow it included. The sum is somewhat more than run() takes: each step ends before the next.
  /// Errors: UsageError where there are more or fewer entries.
  void run_timed(std::span<double> seconds, const RandomKey& key = {});

 private:
  const std::shared_ptr<DeviceMemory>& memory() const { return options().device.memory(); }
  float* own_gradients() const { return reinterpret_cast<float*>(own_slice_.data()); }
  void fetch_gradients();

  struct External {
    int value = -1;
    std::size_t count = 0;
    AlignedArray<float> floats;

    std::span<float> values() { return {floats.get(), count}; }
    std::span<const float> values() const { return {floats.get(), count}; }
  };
  struct OutputCopy {
    std::size_t after = 0;  // position in kernels_ that must have run
    int value = -1;
    std::size_t output = 0;  // by its position in the graph
    MapView<float> from;
    MapView<float> to;
    std::byte* on_device = nullptr;
    AlignedArray<std::byte> staged;  // where the host cannot see the device's map
    std::size_t bytes = 0;
  };

  External external(const Port& port) const;
  void bind();
  std::string describe_step(const Program::Compiled& step) const;

  void run_steps(std::size_t begin, std::size_t end, const RandomKey& key);

  std::shared_ptr<const Program> program_;  // before the kernels that are bound to it
  std::shared_ptr<PreparedWeights> weights_;
  dnnl::stream stream_;
  DeviceBuffer arena_;
  DeviceBuffer own_slice_;
  std::vector<float> gradients_;  // of the own slice, where the host cannot see that
  std::vector<std::unique_ptr<BoundKernel>> kernels_;
  std::vector<std::pair<dnnl::memory, int>> gradient_memories_;
  std::vector<std::byte*> externals_;  // by value id
  std::vector<std::pair<dnnl::memory, int>> external_memories_;
  std::vector<External> inputs_;
  std::vector<External> outputs_;
  std::vector<OutputCopy> copies_;
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/execution.ipp>
#endif
