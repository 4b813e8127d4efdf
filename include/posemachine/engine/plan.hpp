// A plan: a graph for one batch and image size, as primitives on one arena.
#pragma once

#include <posemachine/base/aligned_memory.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/device.hpp>
#include <posemachine/engine/gradient_layout.hpp>
#include <posemachine/engine/ops.hpp>
#include <posemachine/engine/plan_step.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/engine/runner.hpp>
#include <posemachine/engine/team.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/sizes.hpp>
#include <posemachine/schedule/cost_model.hpp>
#include <posemachine/schedule/make_schedule.hpp>
#include <posemachine/schedule/memory_plan.hpp>
#include <posemachine/schedule/schedule.hpp>
#include <posemachine/schedule/schedule_passes.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

struct PlanOptions {
  int batch = 1;
  Size image{};     // pixels; every input has this size
  int threads = 1;  // of oneDNN, fixed when the plan is made
  Mode mode = Mode::inference;
  Device device = Device::cpu();
  SchedulePasses passes{};
  bool reuse_memory = true;                           // buffers that never live at the same time may share memory
  std::shared_ptr<const CostModel> costs{};           // what layouts and methods are chosen by; null: estimates
  std::uint64_t max_bytes = std::uint64_t{16} << 30;  // of maps, gradients and scratchpads; weights are not counted
};

/// A graph made executable. Belongs to one thread at a time; weights are shared between plans. Not copyable.
class Plan {
 public:
  /// Errors: UsageError for a batch or a team of none, ModelError where the size does not fit the graph, an operation
  /// is not the engine's or the plan would need more than max_bytes (found before any of it is allocated),
  /// RuntimeFailure where oneDNN has no implementation.
  Plan(Graph graph, std::shared_ptr<PreparedWeights> weights, const PlanOptions& options)
      : graph_(std::move(graph)), weights_(std::move(weights)), options_(options), stream_(options.device.engine()) {
    require_positive("batch", options.batch);
    require_positive("threads", options.threads);
    schedule_ = make_schedule(graph_, options.batch, options.image, options.mode, options.device.capabilities());
    require_bounded_maps();
    options.passes.run(schedule_, {options.costs.get(), options.threads});
    gradients_.entries.resize(graph_.parameters.size());
    const std::scoped_lock lock(detail::creation_mutex());
    const Team team(options.threads);
    make_runners();
    assign_memory();
    require_bounded_memory();
    // Zeroed: primitives expect zeros in the padding of blocked maps that no step writes.
    arena_ = make_aligned<std::byte>(scratch_offset_ + scratch_bytes_);
    bind();
    own_slice_ = make_aligned<std::byte>(gradients_.floats * sizeof(float));
    bind_gradients(reinterpret_cast<float*>(own_slice_.get()));
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  const Graph& graph() const { return graph_; }
  const Schedule& schedule() const { return schedule_; }
  const PlanOptions& options() const { return options_; }
  /// Of maps, kept workspaces, and the scratch memory that lies among them.
  std::size_t arena_bytes() const { return schedule_.arena_bytes; }
  /// All that the plan holds: arena, scratchpads, gradients, and the caller's side of inputs and outputs.
  std::size_t bytes() const {
    std::size_t bytes = scratch_offset_ + scratch_bytes_ + gradients_.floats * sizeof(float);
    for (const std::vector<Port>* ports : {&graph_.inputs, &graph_.outputs}) {
      for (const Port& port : *ports) bytes += plain_floats(port.value) * sizeof(float);
    }
    return bytes;
  }

  /// The caller's side of an input, to be filled before run(). Shapes: (N, C, H, W) plain.
  std::span<float> input(std::string_view name) { return input(input_value(name)); }
  std::span<float> input(Value value) {
    for (External& external : inputs_) {
      if (external.value == value.id) return external.values;
    }
    throw UsageError("this value is not an input of the plan");
  }

  Shape input_shape(Value input) const {
    const ScheduledValue& value = schedule_.value(input.id);
    return {value.n, value.c, value.h, value.w};
  }
  /// An input by its name. Errors: UsageError naming those there are.
  Value input_value(std::string_view name) const {
    std::string known;
    for (const Port& port : graph_.inputs) {
      if (name_text(graph_, port.name) == name) return {port.value};
      known += (known.empty() ? "" : ", ") + std::string(name_text(graph_, port.name));
    }
    fail<UsageError>({.where = "input", .expected = "one of " + known, .got = std::string(name)});
  }

  /// An output by its position in the graph. Shapes: (N, C, H, W) plain.
  std::span<const float> output(std::size_t index) const { return outputs_.at(index).values; }
  Shape output_shape(std::size_t index) const {
    const ScheduledValue& value = schedule_.value(outputs_.at(index).value);
    return {value.n, value.c, value.h, value.w};
  }
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
      if (copy.value == value.id && schedule_.value(value.id).external) copy.from.data = source;
    }
  }

  /// Points an output at memory of the caller's, which the next runs write instead of output(index); null: that again.
  /// Shapes: as output_shape(index), plain. Errors: std::out_of_range where there is no such output.
  void bind_output(std::size_t index, float* data) {
    float* const own = outputs_.at(index).values.data();
    OutputCopy& copy =
        *std::find_if(copies_.begin(), copies_.end(), [&](const OutputCopy& each) { return each.output == index; });
    copy.to.data = data != nullptr ? data : own;
  }

  /// Runs every step.
  void run(const Draw& draw = {}) { run_steps(0, runners_.size(), draw); }

  /// Runs the steps before the first gradient input: the outputs are then ready, the gradients of them may be written.
  void run_forward(const Draw& draw = {}) { run_steps(0, backward_begin_, draw); }

  /// Runs the rest, which needs the gradients of all outputs and a bound slice.
  void run_backward(const Draw& draw = {}) { run_steps(backward_begin_, runners_.size(), draw); }

  /// Where the results of a slice lie, for as many floats as gradient_layout().floats.
  const GradientLayout& gradient_layout() const { return gradients_; }

  /// Directs gradients and batch statistics of the next runs to `slice`, aligned to 64 bytes. Before the first call
  /// they go to memory of the plan's own: gradients().
  void bind_gradients(float* slice) {
    for (auto& [memory, parameter] : gradient_memories_) {
      memory.set_data_handle(slice + gradients_.entries[static_cast<std::size_t>(parameter)].offset);
    }
  }

  /// The plan's own slice.
  std::span<const float> gradients() const {
    return {reinterpret_cast<const float*>(own_slice_.get()), gradients_.floats};
  }

  /// What runs, in order.
  std::vector<PlanStep> steps() const {
    std::vector<PlanStep> list;
    for (const Bound& bound : runners_) {
      list.push_back(
          detail::plan_step(schedule_, schedule_.steps[static_cast<std::size_t>(bound.step)], *bound.runner));
    }
    for (const OutputCopy& copy : copies_) {
      list[copy.after].moved_bytes += 2 * static_cast<std::int64_t>(plain_floats(copy.value) * sizeof(float));
    }
    return list;
  }

  /// Runs every step and waits for it. Shapes: one entry of `seconds` for each of steps(): how long it took, the copies
  /// of outputs that follow it included. The sum is somewhat more than run() takes: each step ends before the next.
  /// Errors: UsageError where there are more or fewer entries.
  void run_timed(std::span<double> seconds, const Draw& draw = {}) {
    if (seconds.size() != runners_.size()) {
      fail<UsageError>({.where = "run_timed",
                        .expected = std::to_string(runners_.size()) + " entries, one a step",
                        .got = std::to_string(seconds.size())});
    }
    for (std::size_t i = 0; i < runners_.size(); ++i) {
      const auto begin = std::chrono::steady_clock::now();
      run_steps(i, i + 1, draw);
      seconds[i] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
  }

 private:
  struct Bound {
    int node = -1;
    int step = -1;
    std::unique_ptr<Runner> runner;
    int scratch = -1;  // index into Schedule::workspaces; -1: behind the maps, where all others are
  };
  struct External {
    int value = -1;
    std::vector<float> values;
  };
  struct OutputCopy {
    std::size_t after = 0;  // position in runners_ that must have run
    int value = -1;
    std::size_t output = 0;  // by its position in the graph
    MapMemory from;
    MapMemory to;
  };

  static void require_positive(const char* option, int value) {
    if (value >= 1) return;
    fail<UsageError>({.where = std::string("plan: ") + option, .expected = "at least 1", .got = std::to_string(value)});
  }

  [[noreturn]] void refuse_memory(const std::string& where, double bytes) const {
    const auto mebibytes = [](double count) {
      return std::to_string(static_cast<std::int64_t>(count / (1 << 20))) + " MiB";
    };
    fail<ModelError>(
        {.where = where,
         .expected = "at most " + mebibytes(static_cast<double>(options_.max_bytes)) + " (PlanOptions::max_bytes)",
         .got = mebibytes(bytes) + " at batch " + std::to_string(options_.batch) + ", " + to_string(options_.image),
         .remedy = "use a smaller batch or image, or allow more"});
  }

  // Each map by itself, so that sums of their sizes cannot overflow.
  void require_bounded_maps() const {
    for (std::size_t id = 0; id < schedule_.values.size(); ++id) {
      const ScheduledValue& value = schedule_.values[id];
      const double bytes =
          4.0 * value.n * static_cast<double>(value.padded_channels(schedule_.block())) * value.h * value.w;
      if (bytes <= static_cast<double>(options_.max_bytes)) continue;
      refuse_memory(describe(graph_, graph_.values[id].producer), bytes);
    }
  }

  void require_bounded_memory() const {
    if (bytes() > options_.max_bytes) refuse_memory("plan", static_cast<double>(bytes()));
  }

  void make_runners() {
    std::vector<Runner*> by_node(graph_.nodes.size(), nullptr);
    for (std::size_t i = 0; i < schedule_.steps.size(); ++i) {
      const Step& step = schedule_.steps[i];
      const Node& node = schedule_.node(step);
      if (backward_begin_step_ < 0 && node.inputs.count == 0 && node.dst >= 0 &&
          graph_.values[static_cast<std::size_t>(node.dst)].like >= 0) {
        backward_begin_step_ = static_cast<int>(i);
      }
      if (step.elided) continue;
      const EngineOp* entry = find_engine_op(step.op);
      if (entry == nullptr) {
        fail<ModelError>({.where = describe(graph_, step.node),
                          .expected = "an operation that the engine can run",
                          .got = std::string(node.op->name) + " version " + std::to_string(node.op->version)});
      }
      const BuildContext context{&schedule_, &step, &options_.device, &gradients_, &by_node};
      std::unique_ptr<Runner> runner = entry->make(context);
      if (runner->workspace_bytes > 0) {
        runner->workspace = static_cast<int>(schedule_.workspaces.size());
        schedule_.workspaces.push_back({runner->workspace_bytes, static_cast<int>(i), last_use(step.node), 0});
      }
      if (step.op != &reorder_op) by_node[static_cast<std::size_t>(step.node)] = runner.get();
      runners_.push_back({step.node, static_cast<int>(i), std::move(runner), -1});
    }
    backward_begin_ = runners_.size();
    for (std::size_t i = runners_.size(); i-- > 0;) {
      if (backward_begin_step_ >= 0 && runners_[i].step >= backward_begin_step_) backward_begin_ = i;
    }
  }

  // The last step of a backward node of `node`.
  int last_use(int node) const {
    int last = 0;
    for (std::size_t i = 0; i < schedule_.steps.size(); ++i) {
      if (schedule_.steps[i].node == node || schedule_.node(schedule_.steps[i]).forward == node)
        last = static_cast<int>(i);
    }
    return last;
  }

  // Scratch memory lives for one step: each one's lies where no map lives then, or all in one place behind the maps,
  // whichever takes less.
  void assign_memory() {
    Schedule apart = schedule_;
    assign_arena(schedule_, options_.reuse_memory);
    for (const Bound& bound : runners_) scratch_bytes_ = std::max(scratch_bytes_, bound.runner->scratch_bytes);
    for (Bound& bound : runners_) {
      if (bound.runner->scratch_bytes == 0) continue;
      bound.scratch = static_cast<int>(apart.workspaces.size());
      apart.workspaces.push_back({bound.runner->scratch_bytes, bound.step, bound.step, 0});
    }
    assign_arena(apart, options_.reuse_memory);
    // oneDNN writes past the scratchpad of some weights gradients (PrimitiveRunner::finish): never beside maps.
    const bool safe = !schedule_.has_gradients();
    if (safe && apart.arena_bytes <= schedule_.arena_bytes + scratch_bytes_) {
      schedule_ = std::move(apart);
      scratch_bytes_ = 0;
    } else {
      for (Bound& bound : runners_) bound.scratch = -1;
    }
    scratch_offset_ = (schedule_.arena_bytes + 63) / 64 * 64;
    for (GradientLayout::Entry& entry : gradients_.entries) {
      if (!entry.written) continue;
      entry.offset = gradients_.floats;
      gradients_.floats += (entry.desc.get_size() / sizeof(float) + 15) / 16 * 16;
    }
  }

  void bind() {
    Binding binding;
    binding.schedule = &schedule_;
    binding.device = &options_.device;
    binding.weights = weights_.get();
    binding.gradients = &gradients_;
    binding.arena = arena_.get();
    binding.gradient_memories = &gradient_memories_;
    externals_.resize(schedule_.values.size(), nullptr);
    binding.externals = &externals_;
    binding.external_memories = &external_memories_;
    for (const Port& port : graph_.inputs) {
      inputs_.push_back({port.value, plain_buffer(port.value)});
      externals_[static_cast<std::size_t>(port.value)] = reinterpret_cast<std::byte*>(inputs_.back().values.data());
    }
    for (Bound& bound : runners_) {
      binding.scratch = arena_.get() + scratch_offset_;
      if (bound.scratch >= 0) {
        binding.scratch = arena_.get() + schedule_.workspaces[static_cast<std::size_t>(bound.scratch)].arena_offset;
      }
      bound.runner->bind(binding);
    }
    for (const Port& port : graph_.outputs) {
      outputs_.push_back({port.value, plain_buffer(port.value)});
      const ScheduledValue& value = schedule_.value(port.value);
      const MapMemory from = MapMemory::of(value, schedule_.block(), binding.floats(port.value));
      const MapMemory to{outputs_.back().values.data(), value.n, value.c, value.h, value.w, 0};
      std::size_t after = 0;
      while (after + 1 < runners_.size() && runners_[after + 1].step <= value.first_step) ++after;
      const auto at = std::upper_bound(copies_.begin(), copies_.end(), after,
                                       [](std::size_t step, const OutputCopy& copy) { return step < copy.after; });
      copies_.insert(at, {after, port.value, outputs_.size() - 1, from, to});
    }
  }

  std::size_t plain_floats(int id) const {
    const ScheduledValue& value = schedule_.value(id);
    return static_cast<std::size_t>(value.n) * static_cast<std::size_t>(value.c) * static_cast<std::size_t>(value.h) *
           static_cast<std::size_t>(value.w);
  }
  std::vector<float> plain_buffer(int id) const { return std::vector<float>(plain_floats(id)); }

  void run_steps(std::size_t begin, std::size_t end, const Draw& draw) {
    const Team team(options_.threads);  // some kernels ask OpenMP when they run, not only when they are made
    std::size_t copy = 0;
    while (copy < copies_.size() && copies_[copy].after < begin) ++copy;
    for (std::size_t i = begin; i < end; ++i) {
      runners_[i].runner->run(stream_, draw);
      for (; copy < copies_.size() && copies_[copy].after == i; ++copy) {
        copy_channels(copies_[copy].from, 0, copies_[copy].to, 0, copies_[copy].from.c);
      }
    }
    stream_.wait();
  }

  Graph graph_;
  std::shared_ptr<PreparedWeights> weights_;
  PlanOptions options_;
  dnnl::stream stream_;
  Schedule schedule_;
  GradientLayout gradients_;
  std::vector<Bound> runners_;
  int backward_begin_step_ = -1;
  std::size_t backward_begin_ = 0;
  AlignedArray<std::byte> arena_;
  AlignedArray<std::byte> own_slice_;
  std::size_t scratch_offset_ = 0;
  std::size_t scratch_bytes_ = 0;
  std::vector<std::pair<dnnl::memory, int>> gradient_memories_;
  std::vector<std::byte*> externals_;  // by value id
  std::vector<std::pair<dnnl::memory, int>> external_memories_;
  std::vector<External> inputs_;
  std::vector<External> outputs_;
  std::vector<OutputCopy> copies_;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
