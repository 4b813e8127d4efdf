// The definitions of engine/execution.hpp.
#pragma once

#include <posemachine/engine/execution.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/engine/dnnl_errors.hpp>
#include <posemachine/engine/ops/copy_channels.hpp>
#include <posemachine/engine/staged_kernel.hpp>
#include <posemachine/engine/thread_limit.hpp>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

POSEMACHINE_INLINE Execution::Execution(std::shared_ptr<const Program> program,
                                        std::shared_ptr<PreparedWeights> weights)
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
  const ThreadLimit limit(program_->options().threads);
  bind();
  if (memory() != nullptr) gradients_.resize(gradient_layout().floats);
  bind_gradients(own_gradients());
}

POSEMACHINE_INLINE Execution::Execution(Graph graph, std::shared_ptr<PreparedWeights> weights,
                                        const ProgramOptions& options)
    : Execution(std::make_shared<const Program>(std::move(graph), options), std::move(weights)) {}

POSEMACHINE_INLINE std::span<float> Execution::input(Value value) {
  for (External& external : inputs_) {
    if (external.value == value.id) return external.values();
  }
  throw UsageError("this value is not an input of the program");
}

POSEMACHINE_INLINE void Execution::bind_input(Value value, const float* data) {
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

POSEMACHINE_INLINE void Execution::bind_output(std::size_t index, float* data) {
  float* const own = outputs_.at(index).floats.get();
  OutputCopy& copy =
      *std::find_if(copies_.begin(), copies_.end(), [&](const OutputCopy& each) { return each.output == index; });
  copy.to.data = data != nullptr ? data : own;
}

POSEMACHINE_INLINE void Execution::run(const RandomKey& key) {
  run_steps(0, kernels_.size(), key);
  fetch_gradients();
}

POSEMACHINE_INLINE void Execution::run_backward(const RandomKey& key) {
  run_steps(program_->forward_count(), kernels_.size(), key);
  fetch_gradients();
}

POSEMACHINE_INLINE void Execution::bind_gradients(float* slice) {
  for (auto& [memory, parameter] : gradient_memories_) {
    memory.set_data_handle(slice + gradient_layout().entries[static_cast<std::size_t>(parameter)].offset);
  }
}

POSEMACHINE_INLINE std::span<const float> Execution::gradients() const {
  return {gradients_.empty() ? own_gradients() : gradients_.data(), gradient_layout().floats};
}

POSEMACHINE_INLINE void Execution::run_timed(std::span<double> seconds, const RandomKey& key) {
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

POSEMACHINE_INLINE void Execution::fetch_gradients() {
  if (gradients_.empty()) return;
  memory()->copy_to_host(reinterpret_cast<std::byte*>(gradients_.data()), own_slice_.data(),
                         gradients_.size() * sizeof(float));
}

POSEMACHINE_INLINE Execution::External Execution::external(const Port& port) const {
  const std::size_t count = program_->plain_floats(port.value);
  return {port.value, count, make_aligned<float>(count)};
}

POSEMACHINE_INLINE std::string Execution::describe_step(const Program::Compiled& step) const {
  return describe(graph(), schedule().steps[static_cast<std::size_t>(step.step)].node);
}

POSEMACHINE_INLINE void Execution::bind() {
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
    kernels_.push_back(
        detail::with_own_errors([&] { return describe_step(each); }, [&] { return each.kernel->bind(binding); }));
    if (memory() != nullptr && !each.kernel->runs_on_host()) {
      kernels_.back() = std::make_unique<detail::AnnouncedKernel>(std::move(kernels_.back()), *memory());
    }
  }
  for (const Port& port : graph().outputs) outputs_.push_back(external(port));
  for (const Program::OutputCopy& copy : program_->output_copies()) {
    const External& output = outputs_[copy.output];
    const schedule::ScheduledValue& value = schedule().value(output.value);
    MapView<float> from(value, binding.floats(output.value));
    AlignedArray<std::byte> staged;
    if (memory() != nullptr) {  // the device's map is copied here first
      staged = make_aligned<std::byte>(value.bytes());
      from.data = reinterpret_cast<float*>(staged.get());
    }
    const MapView<float> to(value.plain(), output.floats.get());
    copies_.push_back({copy.after, output.value, copy.output, from, to, binding.value(output.value), std::move(staged),
                       value.bytes()});
  }
}

POSEMACHINE_INLINE void Execution::run_steps(std::size_t begin, std::size_t end, const RandomKey& key) {
  const ThreadLimit limit(options().threads);  // some kernels ask OpenMP when they run, not only when they are made
  std::size_t copy = 0;
  while (copy < copies_.size() && copies_[copy].after < begin) ++copy;
  for (std::size_t i = begin; i < end; ++i) {
    detail::with_own_errors([&] { return describe_step(program_->compiled()[i]); },
                            [&] { kernels_[i]->run(stream_, key); });
    for (; copy < copies_.size() && copies_[copy].after == i; ++copy) {
      const OutputCopy& each = copies_[copy];
      if (each.staged != nullptr) memory()->copy_to_host(each.staged.get(), each.on_device, each.bytes);
      copy_channels(each.from, 0, each.to, 0, each.from.c);
    }
  }
  detail::with_own_errors([] { return std::string("execution"); }, [&] { stream_.wait(); });
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
