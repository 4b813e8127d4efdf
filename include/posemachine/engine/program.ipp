// The definitions of engine/program.hpp.
#pragma once

#include <posemachine/engine/program.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/engine/dnnl_errors.hpp>
#include <posemachine/engine/ops.hpp>
#include <posemachine/engine/staged_kernel.hpp>
#include <posemachine/engine/thread_limit.hpp>
#include <posemachine/graph/sizes.hpp>
#include <posemachine/schedule/make_schedule.hpp>
#include <posemachine/schedule/memory_plan.hpp>

#include <algorithm>
#include <mutex>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

POSEMACHINE_INLINE Program::Program(Graph graph, const ProgramOptions& options)
    : graph_(std::move(graph)), options_(options) {
  require_positive("batch", options.batch);
  require_positive("threads", options.threads);
  schedule_ =
      schedule::make_schedule(graph_, options.batch, options.image, options.mode, options.device.capabilities());
  require_bounded_maps();
  options.passes.run(schedule_, {options.costs.get(), options.threads});
  gradients_.entries.resize(graph_.parameters.size());
  const std::scoped_lock lock(detail::creation_mutex());
  const ThreadLimit limit(options.threads);
  make_kernels();
  assign_memory();
  place_output_copies();
  require_bounded_memory();
}

POSEMACHINE_INLINE std::size_t Program::execution_bytes() const {
  std::size_t bytes = memory_bytes() + gradients_.floats * sizeof(float);
  for (const std::vector<Port>* ports : {&graph_.inputs, &graph_.outputs}) {
    for (const Port& port : *ports) bytes += plain_floats(port.value) * sizeof(float);
  }
  return bytes;
}

POSEMACHINE_INLINE Shape Program::shape(Value of) const {
  const schedule::ScheduledValue& value = schedule_.value(of.id);
  return {value.n, value.c, value.h, value.w};
}

POSEMACHINE_INLINE std::size_t Program::plain_floats(int id) const {
  const schedule::ScheduledValue& value = schedule_.value(id);
  return static_cast<std::size_t>(value.n) * static_cast<std::size_t>(value.c) * static_cast<std::size_t>(value.h) *
         static_cast<std::size_t>(value.w);
}

POSEMACHINE_INLINE Value Program::input_value(std::string_view name) const {
  std::string known;
  for (const Port& port : graph_.inputs) {
    if (name_text(graph_, port.name) == name) return {port.value};
    known += (known.empty() ? "" : ", ") + std::string(name_text(graph_, port.name));
  }
  fail<UsageError>({.where = "input", .expected = "one of " + known, .got = std::string(name)});
}

POSEMACHINE_INLINE std::vector<ProgramStep> Program::steps() const {
  std::vector<ProgramStep> list;
  for (const Compiled& each : compiled_) {
    const schedule::Step& step = schedule_.steps[static_cast<std::size_t>(each.step)];
    list.push_back(detail::program_step(schedule_, step, *each.kernel));
  }
  for (const OutputCopy& copy : output_copies_) {
    const int value = graph_.outputs[copy.output].value;
    list[copy.after].moved_bytes += 2 * static_cast<std::int64_t>(plain_floats(value) * sizeof(float));
  }
  return list;
}

POSEMACHINE_INLINE void Program::require_positive(const char* option, int value) {
  if (value >= 1) return;
  fail<UsageError>(
      {.where = std::string("program: ") + option, .expected = "at least 1", .got = std::to_string(value)});
}

POSEMACHINE_INLINE void Program::refuse_memory(const std::string& where, double bytes) const {
  const auto mebibytes = [](double count) {
    return std::to_string(static_cast<std::int64_t>(count / (1 << 20))) + " MiB";
  };
  fail<ModelError>(
      {.where = where,
       .expected = "at most " + mebibytes(static_cast<double>(options_.max_bytes)) + " (ProgramOptions::max_bytes)",
       .got = mebibytes(bytes) + " at batch " + std::to_string(options_.batch) + ", " + to_string(options_.image),
       .remedy = "use a smaller batch or image, or allow more"});
}

POSEMACHINE_INLINE void Program::require_bounded_maps() const {
  for (std::size_t id = 0; id < schedule_.values.size(); ++id) {
    const schedule::ScheduledValue& value = schedule_.values[id];
    const double bytes =
        static_cast<double>(size_of(value.type)) * value.n * value.padded_channels() * value.h * value.w;
    if (bytes <= static_cast<double>(options_.max_bytes)) continue;
    refuse_memory(describe(graph_, graph_.values[id].producer), bytes);
  }
}

POSEMACHINE_INLINE void Program::require_bounded_memory() const {
  const std::size_t bytes = execution_bytes();
  if (bytes > options_.max_bytes) refuse_memory("program", static_cast<double>(bytes));
}

POSEMACHINE_INLINE void Program::make_kernels() {
  std::vector<const Kernel*> by_node(graph_.nodes.size(), nullptr);
  const std::vector<int> last_uses = find_last_uses();
  int backward_begin = -1;  // the step that reads the first gradient of an output
  for (std::size_t i = 0; i < schedule_.steps.size(); ++i) {
    const schedule::Step& step = schedule_.steps[i];
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
    std::unique_ptr<Kernel> kernel =
        detail::with_own_errors([&] { return describe(graph_, step.node); }, [&] { return entry->make(context); });
    if (kernel->runs_on_host() && options_.device.memory() != nullptr) {
      kernel = std::make_unique<detail::StagedKernel>(std::move(kernel), schedule_, step);
    }
    if (kernel->workspace_bytes > 0) {
      kernel->workspace = static_cast<int>(schedule_.workspaces.size());
      const int last = last_uses[static_cast<std::size_t>(step.node)];
      schedule_.workspaces.push_back({kernel->workspace_bytes, static_cast<int>(i), last, 0});
    }
    if (step.op != &schedule::reorder_op) by_node[static_cast<std::size_t>(step.node)] = kernel.get();
    compiled_.push_back({static_cast<int>(i), -1, std::move(kernel)});
  }
  forward_count_ = compiled_.size();
  for (std::size_t i = compiled_.size(); i-- > 0;) {
    if (backward_begin >= 0 && compiled_[i].step >= backward_begin) forward_count_ = i;
  }
}

POSEMACHINE_INLINE void Program::require_types(const schedule::Step& step, const EngineOp& entry) const {
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

POSEMACHINE_INLINE std::vector<int> Program::find_last_uses() const {
  std::vector<int> last(graph_.nodes.size(), 0);
  for (std::size_t i = 0; i < schedule_.steps.size(); ++i) {
    const schedule::Step& step = schedule_.steps[i];
    last[static_cast<std::size_t>(step.node)] = static_cast<int>(i);
    const int forward = schedule_.node(step).forward;
    if (forward >= 0) last[static_cast<std::size_t>(forward)] = static_cast<int>(i);
  }
  return last;
}

POSEMACHINE_INLINE void Program::assign_memory() {
  schedule::Schedule apart = schedule_;
  schedule::assign_arena(schedule_, options_.reuse_memory);
  for (const Compiled& each : compiled_) scratch_bytes_ = std::max(scratch_bytes_, each.kernel->scratch_bytes);
  for (Compiled& each : compiled_) {
    if (each.kernel->scratch_bytes == 0) continue;
    each.scratch = static_cast<int>(apart.workspaces.size());
    apart.workspaces.push_back({each.kernel->scratch_bytes, each.step, each.step, 0});
  }
  schedule::assign_arena(apart, options_.reuse_memory);
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

POSEMACHINE_INLINE void Program::place_output_copies() {
  for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
    const int written = schedule_.value(graph_.outputs[i].value).first_step;
    std::size_t after = 0;
    while (after + 1 < compiled_.size() && compiled_[after + 1].step <= written) ++after;
    const auto at = std::upper_bound(output_copies_.begin(), output_copies_.end(), after,
                                     [](std::size_t step, const OutputCopy& copy) { return step < copy.after; });
    output_copies_.insert(at, {after, i});
  }
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
