// Program: a graph compiled for one batch, image size and device. It holds no memory for maps and no weights.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/device.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/gradient_layout.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/engine/ops.hpp>
#include <posemachine/engine/program_step.hpp>
#include <posemachine/engine/staged_kernel.hpp>
#include <posemachine/engine/team.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/sizes.hpp>
#include <posemachine/schedule/cost_model.hpp>
#include <posemachine/schedule/make_schedule.hpp>
#include <posemachine/schedule/memory_plan.hpp>
#include <posemachine/schedule/schedule.hpp>
#include <posemachine/schedule/schedule_passes.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

struct ProgramOptions {
  int batch = 1;
  Size image{};     // pixels; every input has this size
  int threads = 1;  // of oneDNN, fixed when the program is compiled
  Mode mode = Mode::inference;
  Device device = Device::cpu();
  SchedulePasses passes{};
  bool reuse_memory = true;                           // buffers that never live at the same time may share memory
  std::shared_ptr<const CostModel> costs{};           // what layouts and methods are chosen by; null: estimates
  std::uint64_t max_bytes = std::uint64_t{16} << 30;  // of maps, gradients and scratchpads; weights are not counted
};

/// A graph as a schedule of kernels: what every execution of it shares. It does not change, so that threads may share
/// it. Not copyable.
class Program {
 public:
  /// Errors: UsageError for a batch or a team of none, ModelError where the size does not fit the graph, an operation
  /// is not the engine's or an execution would need more than max_bytes (found before any of it is allocated),
  /// RuntimeFailure where oneDNN has no implementation.
  Program(Graph graph, const ProgramOptions& options) : graph_(std::move(graph)), options_(options) {
    require_positive("batch", options.batch);
    require_positive("threads", options.threads);
    schedule_ = make_schedule(graph_, options.batch, options.image, options.mode, options.device.capabilities());
    require_bounded_maps();
    options.passes.run(schedule_, {options.costs.get(), options.threads});
    gradients_.entries.resize(graph_.parameters.size());
    const std::scoped_lock lock(detail::creation_mutex());
    const Team team(options.threads);
    make_kernels();
    assign_memory();
    place_output_copies();
    require_bounded_memory();
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  const Graph& graph() const { return graph_; }
  const Schedule& schedule() const { return schedule_; }
  const ProgramOptions& options() const { return options_; }
  /// Where the results of a slice lie, for as many floats as gradient_layout().floats.
  const GradientLayout& gradient_layout() const { return gradients_; }

  /// Of maps, kept workspaces, and the scratch memory that lies among them.
  std::size_t arena_bytes() const { return schedule_.arena_bytes; }
  /// The arena with the scratch memory behind it.
  std::size_t memory_bytes() const { return scratch_offset_ + scratch_bytes_; }
  /// All that an execution holds: arena, scratchpads, gradients, and the caller's side of inputs and outputs.
  std::size_t execution_bytes() const {
    std::size_t bytes = memory_bytes() + gradients_.floats * sizeof(float);
    for (const std::vector<Port>* ports : {&graph_.inputs, &graph_.outputs}) {
      for (const Port& port : *ports) bytes += plain_floats(port.value) * sizeof(float);
    }
    return bytes;
  }

  /// Shapes: (N, C, H, W).
  Shape shape(Value of) const {
    const ScheduledValue& value = schedule_.value(of.id);
    return {value.n, value.c, value.h, value.w};
  }
  std::size_t plain_floats(int id) const {
    const ScheduledValue& value = schedule_.value(id);
    return static_cast<std::size_t>(value.n) * static_cast<std::size_t>(value.c) * static_cast<std::size_t>(value.h) *
           static_cast<std::size_t>(value.w);
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

  /// What runs, in order.
  std::vector<ProgramStep> steps() const {
    std::vector<ProgramStep> list;
    for (const Compiled& each : compiled_) {
      const Step& step = schedule_.steps[static_cast<std::size_t>(each.step)];
      list.push_back(detail::program_step(schedule_, step, *each.kernel));
    }
    for (const OutputCopy& copy : output_copies_) {
      const int value = graph_.outputs[copy.output].value;
      list[copy.after].moved_bytes += 2 * static_cast<std::int64_t>(plain_floats(value) * sizeof(float));
    }
    return list;
  }

  /// A step that runs, with its kernel.
  struct Compiled {
    int step = -1;     // of the schedule
    int scratch = -1;  // index into Schedule::workspaces; -1: behind the maps, where all others are
    std::unique_ptr<Kernel> kernel;
  };
  const std::vector<Compiled>& compiled() const { return compiled_; }

  /// An output is copied to the caller's side as soon as it is ready: behind `after`, a position in compiled().
  struct OutputCopy {
    std::size_t after = 0;
    std::size_t output = 0;  // by its position in the graph
  };
  const std::vector<OutputCopy>& output_copies() const { return output_copies_; }

  /// How many of compiled() run before the first gradient of an output is read; all of them in inference.
  std::size_t forward_count() const { return forward_count_; }
  /// Where scratch memory lies that is not among the maps, bytes from the beginning of the arena.
  std::size_t scratch_offset() const { return scratch_offset_; }

 private:
  static void require_positive(const char* option, int value) {
    if (value >= 1) return;
    fail<UsageError>(
        {.where = std::string("program: ") + option, .expected = "at least 1", .got = std::to_string(value)});
  }

  [[noreturn]] void refuse_memory(const std::string& where, double bytes) const {
    const auto mebibytes = [](double count) {
      return std::to_string(static_cast<std::int64_t>(count / (1 << 20))) + " MiB";
    };
    fail<ModelError>(
        {.where = where,
         .expected = "at most " + mebibytes(static_cast<double>(options_.max_bytes)) + " (ProgramOptions::max_bytes)",
         .got = mebibytes(bytes) + " at batch " + std::to_string(options_.batch) + ", " + to_string(options_.image),
         .remedy = "use a smaller batch or image, or allow more"});
  }

  // Each map by itself, so that sums of their sizes cannot overflow.
  void require_bounded_maps() const {
    for (std::size_t id = 0; id < schedule_.values.size(); ++id) {
      const ScheduledValue& value = schedule_.values[id];
      const double bytes =
          static_cast<double>(size_of(value.type)) * value.n * value.padded_channels() * value.h * value.w;
      if (bytes <= static_cast<double>(options_.max_bytes)) continue;
      refuse_memory(describe(graph_, graph_.values[id].producer), bytes);
    }
  }

  void require_bounded_memory() const {
    const std::size_t bytes = execution_bytes();
    if (bytes > options_.max_bytes) refuse_memory("program", static_cast<double>(bytes));
  }

  void make_kernels() {
    std::vector<const Kernel*> by_node(graph_.nodes.size(), nullptr);
    const std::vector<int> last_uses = find_last_uses();
    int backward_begin = -1;  // the step that reads the first gradient of an output
    for (std::size_t i = 0; i < schedule_.steps.size(); ++i) {
      const Step& step = schedule_.steps[i];
      const Node& node = schedule_.node(step);
      if (backward_begin < 0 && node.inputs.count == 0 && node.dst >= 0 &&
          graph_.values[static_cast<std::size_t>(node.dst)].like >= 0) {
        backward_begin = static_cast<int>(i);
      }
      if (step.elided) continue;
      const EngineOp* entry = find_kernel(options_.device, *step.op);
      if (entry == nullptr) {
        fail<ModelError>({.where = describe(graph_, step.node),
                          .expected = "an operation that the engine can run",
                          .got = std::string(node.op->name) + " version " + std::to_string(node.op->version)});
      }
      require_types(step, *entry);
      const BuildContext context{&schedule_, &step, &options_.device, &gradients_, &by_node};
      std::unique_ptr<Kernel> kernel = entry->make(context);
      if (kernel->runs_on_host() && options_.device.memory() != nullptr) {
        kernel = std::make_unique<detail::StagedKernel>(std::move(kernel), schedule_, step);
      }
      if (kernel->workspace_bytes > 0) {
        kernel->workspace = static_cast<int>(schedule_.workspaces.size());
        const int last = last_uses[static_cast<std::size_t>(step.node)];
        schedule_.workspaces.push_back({kernel->workspace_bytes, static_cast<int>(i), last, 0});
      }
      if (step.op != &reorder_op) by_node[static_cast<std::size_t>(step.node)] = kernel.get();
      compiled_.push_back({static_cast<int>(i), -1, std::move(kernel)});
    }
    forward_count_ = compiled_.size();
    for (std::size_t i = compiled_.size(); i-- > 0;) {
      if (backward_begin >= 0 && compiled_[i].step >= backward_begin) forward_count_ = i;
    }
  }

  // The operation's kernel has to serve the types of its maps and parameters.
  void require_types(const Step& step, const EngineOp& entry) const {
    const auto refuse = [&](const std::string& what, DataType type) {
      fail<ModelError>({.where = describe(graph_, step.node),
                        .expected = "maps and parameters of type " + entry.types.text() + ", which kernels of " +
                                    std::string(step.op->name) + " serve",
                        .got = what + " of type " + std::string(name_of(type))});
    };
    step.for_each_read([&](int id) {
      if (!entry.types.contains(schedule_.value(id).type)) refuse("a map", schedule_.value(id).type);
    });
    if (step.dst >= 0 && !entry.types.contains(schedule_.value(step.dst).type)) {
      refuse("a map", schedule_.value(step.dst).type);
    }
    const Node& node = schedule_.node(step);
    for (int k = 0; k < node.parameters.count; ++k) {
      const DataType type = parameter(graph_, node, k).type;
      if (!entry.types.contains(type)) refuse(parameter_name(graph_, parameter_id(graph_, node, k)), type);
    }
  }

  // By node: the last step of it and of its backward nodes.
  std::vector<int> find_last_uses() const {
    std::vector<int> last(graph_.nodes.size(), 0);
    for (std::size_t i = 0; i < schedule_.steps.size(); ++i) {
      const Step& step = schedule_.steps[i];
      last[static_cast<std::size_t>(step.node)] = static_cast<int>(i);
      const int forward = schedule_.node(step).forward;
      if (forward >= 0) last[static_cast<std::size_t>(forward)] = static_cast<int>(i);
    }
    return last;
  }

  // Scratch memory lives for one step: each one's lies where no map lives then, or all in one place behind the maps,
  // whichever takes less.
  void assign_memory() {
    Schedule apart = schedule_;
    assign_arena(schedule_, options_.reuse_memory);
    for (const Compiled& each : compiled_) scratch_bytes_ = std::max(scratch_bytes_, each.kernel->scratch_bytes);
    for (Compiled& each : compiled_) {
      if (each.kernel->scratch_bytes == 0) continue;
      each.scratch = static_cast<int>(apart.workspaces.size());
      apart.workspaces.push_back({each.kernel->scratch_bytes, each.step, each.step, 0});
    }
    assign_arena(apart, options_.reuse_memory);
    // oneDNN writes past the scratchpad of some weights gradients (PrimitiveKernel::finish): never beside maps.
    const bool safe = !schedule_.has_gradients();
    if (safe && apart.arena_bytes <= schedule_.arena_bytes + scratch_bytes_) {
      schedule_ = std::move(apart);
      scratch_bytes_ = 0;
    } else {
      for (Compiled& each : compiled_) each.scratch = -1;
    }
    scratch_offset_ = (schedule_.arena_bytes + 63) / 64 * 64;
    for (GradientLayout::Entry& entry : gradients_.entries) {
      if (!entry.written) continue;
      entry.offset = gradients_.floats;
      gradients_.floats += (entry.desc.get_size() / sizeof(float) + 15) / 16 * 16;
    }
  }

  void place_output_copies() {
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
      const int written = schedule_.value(graph_.outputs[i].value).first_step;
      std::size_t after = 0;
      while (after + 1 < compiled_.size() && compiled_[after + 1].step <= written) ++after;
      const auto at = std::upper_bound(output_copies_.begin(), output_copies_.end(), after,
                                       [](std::size_t step, const OutputCopy& copy) { return step < copy.after; });
      output_copies_.insert(at, {after, i});
    }
  }

  Graph graph_;
  ProgramOptions options_;
  Schedule schedule_;
  GradientLayout gradients_;
  std::vector<Compiled> compiled_;
  std::vector<OutputCopy> output_copies_;
  std::size_t forward_count_ = 0;
  std::size_t scratch_offset_ = 0;
  std::size_t scratch_bytes_ = 0;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
