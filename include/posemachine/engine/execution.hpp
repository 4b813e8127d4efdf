// Execution: a program with memory of its own, for one thread at a time.
#pragma once

#include <posemachine/base/aligned_memory.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/device_memory.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/gradient_layout.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/engine/ops/copy_channels.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/engine/program.hpp>
#include <posemachine/engine/program_step.hpp>
#include <posemachine/engine/staged_kernel.hpp>
#include <posemachine/engine/team.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Runs a program. Programs and weights are shared between executions, memory is not. Not copyable.
class Execution {
 public:
  /// Errors: UsageError for weights in another memory than the program's device computes in; std::bad_alloc.
  Execution(std::shared_ptr<const Program> program, std::shared_ptr<PreparedWeights> weights)
      : program_(std::move(program)),
        weights_(std::move(weights)),
        stream_(program_->options().device.engine()),
        // Zeroed: primitives expect zeros in the padding of blocked maps that no step writes.
        arena_(memory(), program_->memory_bytes()),
        own_slice_(memory(), program_->gradient_layout().floats * sizeof(float)) {
    if (weights_->memory() != memory()) {
      fail<UsageError>({.where = "weights",
                        .expected = "weights prepared for the program's device",
                        .got = "weights in the memory of another",
                        .remedy = "give PreparedWeights the same Device"});
    }
    const std::scoped_lock lock(detail::creation_mutex());
    const Team team(program_->options().threads);
    bind();
    if (memory() != nullptr) gradients_.resize(gradient_layout().floats);
    bind_gradients(own_gradients());
  }
  /// Of a program of its own. Errors: as Program's constructor.
  Execution(Graph graph, std::shared_ptr<PreparedWeights> weights, const ProgramOptions& options)
      : Execution(std::make_shared<const Program>(std::move(graph), options), std::move(weights)) {}
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  const std::shared_ptr<const Program>& program() const { return program_; }
  const Graph& graph() const { return program_->graph(); }
  const Schedule& schedule() const { return program_->schedule(); }
  const ProgramOptions& options() const { return program_->options(); }
  const GradientLayout& gradient_layout() const { return program_->gradient_layout(); }
  std::size_t arena_bytes() const { return program_->arena_bytes(); }
  std::size_t bytes() const { return program_->execution_bytes(); }
  std::vector<ProgramStep> steps() const { return program_->steps(); }

  /// The caller's side of an input, to be filled before run(). Shapes: (N, C, H, W) plain.
  std::span<float> input(std::string_view name) { return input(input_value(name)); }
  std::span<float> input(Value value) {
    for (External& external : inputs_) {
      if (external.value == value.id) return external.values();
    }
    throw UsageError("this value is not an input of the program");
  }
  Shape input_shape(Value input) const { return program_->shape(input); }
  Value input_value(std::string_view name) const { return program_->input_value(name); }

  /// An output by its position in the graph. Shapes: (N, C, H, W) plain.
  std::span<const float> output(std::size_t index) const { return outputs_.at(index).values(); }
  Shape output_shape(std::size_t index) const { return program_->shape({outputs_.at(index).value}); }
  std::size_t output_count() const { return outputs_.size(); }

  /// Points an input at memory of the caller's from the next run on, so that nothing has to be copied; null: at
  /// input(value) again. Shapes: (N, C, H, W) plain. Errors: UsageError for a value that is no input.
  void bind_input(Value value, const float* data) {
    const std::span<float> own = input(value);
    // oneDNN takes void*, but no step writes an input.
    float* const source = data != nullptr ? const_cast<float*>(data) : own.data();
    externals_[static_cast<std::size_t>(value.id)] = reinterpret_cast<std::byte*>(source);
    for (auto& [memory, of] : external_memories_) {
      if (of == value.id) memory.set_data_handle(source);
    }
    for (OutputCopy& copy : copies_) {  // an input that is an output too
      if (copy.value == value.id && schedule().value(value.id).external) copy.from.data = source;
    }
  }

  /// Points an output at memory of the caller's, which the next runs write instead of output(index); null: that again.
  /// Shapes: as output_shape(index), plain. Errors: std::out_of_range where there is no such output.
  void bind_output(std::size_t index, float* data) {
    float* const own = outputs_.at(index).floats.get();
    OutputCopy& copy =
        *std::find_if(copies_.begin(), copies_.end(), [&](const OutputCopy& each) { return each.output == index; });
    copy.to.data = data != nullptr ? data : own;
  }

  /// Runs every step.
  void run(const RandomKey& key = {}) {
    run_steps(0, kernels_.size(), key);
    fetch_gradients();
  }

  /// Runs the steps before the first gradient input: the outputs are then ready, the gradients of them may be written.
  void run_forward(const RandomKey& key = {}) { run_steps(0, program_->forward_count(), key); }

  /// Runs the rest, which needs the gradients of all outputs and a bound slice.
  void run_backward(const RandomKey& key = {}) {
    run_steps(program_->forward_count(), kernels_.size(), key);
    fetch_gradients();
  }

  /// Directs gradients and batch statistics of the next runs to `slice`, in the device's memory, aligned to 64 bytes.
  /// Before the first call they go to memory of the execution's own: gradients().
  void bind_gradients(float* slice) {
    for (auto& [memory, parameter] : gradient_memories_) {
      memory.set_data_handle(slice + gradient_layout().entries[static_cast<std::size_t>(parameter)].offset);
    }
  }

  /// The execution's own slice.
  std::span<const float> gradients() const {
    return {gradients_.empty() ? own_gradients() : gradients_.data(), gradient_layout().floats};
  }

  /// Runs every step and waits for it. Shapes: one entry of `seconds` for each of steps(): how long it took, the copies
  /// of outputs that follow it included. The sum is somewhat more than run() takes: each step ends before the next.
  /// Errors: UsageError where there are more or fewer entries.
  void run_timed(std::span<double> seconds, const RandomKey& key = {}) {
    if (seconds.size() != kernels_.size()) {
      fail<UsageError>({.where = "run_timed",
                        .expected = std::to_string(kernels_.size()) + " entries, one a step",
                        .got = std::to_string(seconds.size())});
    }
    for (std::size_t i = 0; i < kernels_.size(); ++i) {
      const auto begin = std::chrono::steady_clock::now();
      run_steps(i, i + 1, key);
      seconds[i] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
  }

 private:
  const std::shared_ptr<DeviceMemory>& memory() const { return options().device.memory(); }
  float* own_gradients() const { return reinterpret_cast<float*>(own_slice_.data()); }
  void fetch_gradients() {
    if (gradients_.empty()) return;
    memory()->copy_to_host(reinterpret_cast<std::byte*>(gradients_.data()), own_slice_.data(),
                           gradients_.size() * sizeof(float));
  }

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

  External external(const Port& port) const {
    const std::size_t count = program_->plain_floats(port.value);
    return {port.value, count, make_aligned<float>(count)};
  }

  void bind() {
    Binding binding;
    binding.schedule = &schedule();
    binding.device = &options().device;
    binding.weights = weights_.get();
    binding.gradients = &gradient_layout();
    binding.arena = arena_.data();
    binding.gradient_memories = &gradient_memories_;
    externals_.resize(schedule().values.size(), nullptr);
    binding.externals = &externals_;
    binding.external_memories = &external_memories_;
    for (const Port& port : graph().inputs) {
      inputs_.push_back(external(port));
      externals_[static_cast<std::size_t>(port.value)] = reinterpret_cast<std::byte*>(inputs_.back().floats.get());
    }
    for (const Program::Compiled& each : program_->compiled()) {
      binding.scratch = arena_.data() + program_->scratch_offset();
      if (each.scratch >= 0) {
        binding.scratch = arena_.data() + schedule().workspaces[static_cast<std::size_t>(each.scratch)].arena_offset;
      }
      kernels_.push_back(each.kernel->bind(binding));
      if (memory() != nullptr && !each.kernel->runs_on_host()) {
        kernels_.back() = std::make_unique<detail::AnnouncedKernel>(std::move(kernels_.back()), *memory());
      }
    }
    for (const Port& port : graph().outputs) outputs_.push_back(external(port));
    for (const Program::OutputCopy& copy : program_->output_copies()) {
      const External& output = outputs_[copy.output];
      const ScheduledValue& value = schedule().value(output.value);
      MapView<float> from(value, binding.floats(output.value));
      AlignedArray<std::byte> staged;
      if (memory() != nullptr) {  // the device's map is copied here first
        staged = make_aligned<std::byte>(value.bytes());
        from.data = reinterpret_cast<float*>(staged.get());
      }
      const MapView<float> to(value.plain(), output.floats.get());
      copies_.push_back({copy.after, output.value, copy.output, from, to, binding.value(output.value),
                         std::move(staged), value.bytes()});
    }
  }

  void run_steps(std::size_t begin, std::size_t end, const RandomKey& key) {
    const Team team(options().threads);  // some kernels ask OpenMP when they run, not only when they are made
    std::size_t copy = 0;
    while (copy < copies_.size() && copies_[copy].after < begin) ++copy;
    for (std::size_t i = begin; i < end; ++i) {
      kernels_[i]->run(stream_, key);
      for (; copy < copies_.size() && copies_[copy].after == i; ++copy) {
        const OutputCopy& each = copies_[copy];
        if (each.staged != nullptr) memory()->copy_to_host(each.staged.get(), each.on_device, each.bytes);
        copy_channels(each.from, 0, each.to, 0, each.from.c);
      }
    }
    stream_.wait();
  }

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

}  // namespace posemachine::inline POSEMACHINE_BUILD
