// What executes a step: made in one pass over the schedule, bound to memory in a second, run many times.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/engine/device.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/gradient_layout.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/engine/reorder.hpp>
#include <posemachine/engine/weight_gating.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// What a draw depends on besides the node: equal values give equal masks.
struct Draw {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  std::uint64_t first_sample = 0;  // of the plan's batch
};

/// Memory and shared objects a runner binds to.
struct Binding {
  const Schedule* schedule = nullptr;
  const Device* device = nullptr;
  PreparedWeights* weights = nullptr;
  GradientLayout* gradients = nullptr;
  std::byte* arena = nullptr;
  std::byte* scratch = nullptr;
  const std::vector<std::byte*>* externals = nullptr;  // the caller's side of inputs, by value id; may change later
  std::vector<std::pair<dnnl::memory, int>>* external_memories = nullptr;  // (memory, value), to follow externals
  std::vector<std::pair<dnnl::memory, int>>* gradient_memories = nullptr;  // (memory, parameter), pointed at a slice

  /// Where a value's first element is.
  std::byte* value(int id) const {
    const Schedule::Place place = schedule->place(id);
    const ScheduledValue& root = schedule->value(place.root);
    std::byte* base = root.external ? (*externals)[static_cast<std::size_t>(place.root)] : arena + root.arena_offset;
    // A place inside another value exists only where its channels are contiguous: one image, whole blocks.
    return base + static_cast<std::size_t>(place.channel_offset) * static_cast<std::size_t>(root.h) *
                      static_cast<std::size_t>(root.w) * sizeof(float);
  }
  float* floats(int id) const { return reinterpret_cast<float*>(value(id)); }
};

class Runner;

/// What a runner is made from.
struct BuildContext {
  const Schedule* schedule = nullptr;
  const Step* step = nullptr;
  const Device* device = nullptr;
  GradientLayout* gradients = nullptr;
  const std::vector<Runner*>* by_node = nullptr;  // runners made so far, for backward nodes to find their forward one

  const Graph& graph() const { return *schedule->graph; }
  const Node& node() const { return schedule->node(*step); }
  const ScheduledValue& src(int i) const { return schedule->value(schedule->src(*step, i)); }
  const ScheduledValue& dst() const { return schedule->value(step->dst); }
  bool training() const { return schedule->mode == Mode::training; }
  const dnnl::engine& engine() const { return device->engine(); }
  Runner* forward() const { return (*by_node)[static_cast<std::size_t>(node().forward)]; }

  dnnl::memory::desc desc(const ScheduledValue& value) const {
    using Tag = dnnl::memory::format_tag;
    const Tag blocked = schedule->block() == 16 ? Tag::nChw16c : Tag::nChw8c;
    return desc(value, value.layout == Layout::plain           ? Tag::nchw
                       : value.layout == Layout::channels_last ? Tag::nhwc
                                                               : blocked);
  }
  dnnl::memory::desc desc(const ScheduledValue& value, dnnl::memory::format_tag tag) const {
    return {{value.n, value.c, value.h, value.w}, dnnl::memory::data_type::f32, tag};
  }
  dnnl::memory::desc any(const ScheduledValue& value) const { return desc(value, dnnl::memory::format_tag::any); }
};

/// Executes one step. A runner belongs to one plan; a plan runs on one thread at a time.
class Runner {
 public:
  virtual ~Runner() = default;
  virtual void bind(const Binding& binding) = 0;
  virtual void run(dnnl::stream& stream, const Draw& draw) = 0;

  std::string implementation = "posemachine";  // oneDNN's name, or ours
  std::size_t scratch_bytes = 0;               // free memory it needs while it runs
  std::size_t workspace_bytes = 0;             // memory it needs from here to its backward node
  int workspace = -1;                          // index into Schedule::workspaces, once assigned
  std::int64_t moved_bytes = 0;                // read and written by reorders and copies, in every run
};

/// A oneDNN primitive with its arguments. Where a primitive wants another layout than a value has, the runner reorders
/// before or after it.
class PrimitiveRunner : public Runner {
 public:
  /// Sets the primitive up from its descriptor, with a scratchpad of the plan's.
  template <class Primitive>
  void set(const typename Primitive::primitive_desc& desc) {
    primitive_ = Primitive(desc);
    implementation = desc.impl_info_str();
    scratchpad_ = desc.scratchpad_desc();
  }

  void add_src(int arg, int value, const dnnl::memory::desc& has, const dnnl::memory::desc& wants) {
    slots_.push_back({arg, Slot::src, value, has, wants, -1});
  }
  void add_dst(int arg, int value, const dnnl::memory::desc& has, const dnnl::memory::desc& wants) {
    slots_.push_back({arg, Slot::dst, value, has, wants, -1});
  }
  void add_weights(int arg, int parameter, const dnnl::memory::desc& wants) {
    slots_.push_back({arg, Slot::weights, parameter, {}, wants, -1});
  }
  /// Weights that are multiplied with the factors of `gates` in every run.
  void add_gated_weights(int arg, int parameter, const dnnl::memory::desc& wants, std::vector<ChannelGate> gates) {
    slots_.push_back({arg, Slot::gated_weights, parameter, wants, wants, -1});
    gates_ = std::move(gates);
  }
  /// A result of the slice: the first node to write a parameter decides the layout of its gradient, later ones (of a
  /// shared parameter) add to it.
  void add_gradient(GradientLayout& layout, int arg, int parameter, const dnnl::memory::desc& writes) {
    GradientLayout::Entry& entry = layout.entries[static_cast<std::size_t>(parameter)];
    if (entry.written) {
      slots_.push_back({arg, Slot::gradient_term, parameter, entry.desc, writes, -1});
      return;
    }
    entry.written = true;
    entry.desc = writes;
    slots_.push_back({arg, Slot::gradient, parameter, writes, writes, -1});
  }
  /// A statistic that this node alone finds. Errors: ModelError where another node has found one for the same buffer.
  void add_own_statistic(GradientLayout& layout, int arg, int parameter, const dnnl::memory::desc& writes,
                         const std::string& where) {
    if (layout.entries[static_cast<std::size_t>(parameter)].written) {
      fail<ModelError>({.where = where,
                        .expected = "running statistics of its own, in training",
                        .got = "those of another node",
                        .remedy = "share layers without batch norm, or freeze it"});
    }
    add_gradient(layout, arg, parameter, writes);
  }
  /// A statistic of the slice that another node of the plan reads.
  void add_statistic(int arg, int parameter, const dnnl::memory::desc& desc) {
    slots_.push_back({arg, Slot::gradient, parameter, desc, desc, -1});
  }
  void add_workspace(int arg, const dnnl::memory::desc& desc) {
    workspace_bytes = desc.get_size();
    slots_.push_back({arg, Slot::workspace, -1, desc, desc, -1});
  }
  void add_workspace_of(int arg, const Runner* forward, const dnnl::memory::desc& desc) {
    forward_ = forward;
    slots_.push_back({arg, Slot::workspace_of_forward, -1, desc, desc, -1});
  }

  /// Call once all arguments are known: how much scratch memory they need together.
  void finish() {
    // oneDNN writes past the scratchpad of strided 1x1 weights gradients with few channels (its issue 6035): 64 KiB to
    // spare.
    std::size_t bytes = scratchpad_.get_size() > 0 ? scratchpad_.get_size() + (std::size_t{64} << 10) : 0;
    for (Slot& slot : slots_) {
      const bool moves = ((slot.kind == Slot::src || slot.kind == Slot::dst) && slot.has != slot.wants) ||
                         slot.kind == Slot::gradient_term || slot.kind == Slot::gated_weights;
      if (!moves) continue;
      bytes = (bytes + 63) / 64 * 64;
      slot.scratch_offset = static_cast<std::ptrdiff_t>(bytes);
      bytes += slot.wants.get_size();
      moved_bytes += static_cast<std::int64_t>(slot.has.get_size() + slot.wants.get_size());
    }
    scratch_bytes = bytes;
  }

  void bind(const Binding& binding) override {
    const dnnl::engine& engine = binding.device->engine();
    memories_.clear();
    args_.clear();
    before_.clear();
    after_.clear();
    gatings_.clear();
    memories_.reserve(slots_.size() + 1);
    for (const Slot& slot : slots_) {
      dnnl::memory memory = memory_of(slot, binding, engine);
      if (slot.scratch_offset >= 0) {
        dnnl::memory moved(slot.wants, engine, binding.scratch + slot.scratch_offset);
        if (slot.kind == Slot::gradient_term) {
          after_.emplace_back(moved, memory, true);
        } else if (slot.kind == Slot::gated_weights) {
          dnnl::stream stream(engine);
          gatings_.emplace_back(memory, moved, gates_of(binding), stream);
        } else if (slot.kind == Slot::src) {
          before_.emplace_back(memory, moved);
        } else {
          after_.emplace_back(moved, memory);
        }
        memory = moved;
      }
      memories_.push_back(memory);
      args_.push_back({slot.arg, memory.get()});
    }
    if (scratchpad_.get_size() > 0) {
      memories_.emplace_back(scratchpad_, engine, binding.scratch);
      args_.push_back({DNNL_ARG_SCRATCHPAD, memories_.back().get()});
    }
  }

  void run(dnnl::stream& stream, const Draw&) override {
    for (WeightGating& gating : gatings_) gating.run();
    for (const Reorder& reorder : before_) reorder.run(stream);
    const dnnl_status_t status =
        dnnl_primitive_execute(primitive_.get(), stream.get(), static_cast<int>(args_.size()), args_.data());
    if (status != dnnl_success) {
      fail<RuntimeFailure>({.where = "oneDNN " + implementation, .got = "status " + std::to_string(status)});
    }
    for (const Reorder& reorder : after_) reorder.run(stream);
  }

 private:
  struct Slot {
    enum Kind { src, dst, weights, gated_weights, gradient, gradient_term, workspace, workspace_of_forward };
    int arg = 0;
    Kind kind = src;
    int id = 0;
    dnnl::memory::desc has;
    dnnl::memory::desc wants;
    std::ptrdiff_t scratch_offset = -1;
  };
  dnnl::memory memory_of(const Slot& slot, const Binding& binding, const dnnl::engine& engine) const {
    switch (slot.kind) {
      case Slot::weights:
      case Slot::gated_weights: return binding.weights->get(slot.id, slot.wants);
      case Slot::gradient:
      case Slot::gradient_term: {
        dnnl::memory memory(slot.has, engine, nullptr);
        binding.gradient_memories->push_back({memory, slot.id});
        return memory;
      }
      case Slot::workspace: return workspace_memory(*this, slot, binding, engine);
      case Slot::workspace_of_forward: return workspace_memory(*forward_, slot, binding, engine);
      default: {
        dnnl::memory memory(slot.has, engine, binding.value(slot.id));
        const bool external = binding.schedule->value(binding.schedule->place(slot.id).root).external;
        if (external) binding.external_memories->push_back({memory, slot.id});
        return memory;
      }
    }
  }
  std::vector<WeightGating::Gate> gates_of(const Binding& binding) const {
    std::vector<WeightGating::Gate> found;
    for (const ChannelGate& each : gates_) {
      // One cell: its channels are contiguous in every layout.
      found.push_back({binding.floats(each.gate), each.first, binding.schedule->value(each.gate).c});
    }
    return found;
  }
  static dnnl::memory workspace_memory(const Runner& owner, const Slot& slot, const Binding& binding,
                                       const dnnl::engine& engine) {
    const Workspace& workspace = binding.schedule->workspaces[static_cast<std::size_t>(owner.workspace)];
    return {slot.has, engine, binding.arena + workspace.arena_offset};
  }

  dnnl::primitive primitive_;
  dnnl::memory::desc scratchpad_;
  std::vector<Slot> slots_;
  const Runner* forward_ = nullptr;
  std::vector<ChannelGate> gates_;
  std::vector<WeightGating> gatings_;
  std::vector<dnnl::memory> memories_;
  std::vector<dnnl_exec_arg_t> args_;
  std::vector<Reorder> before_;
  std::vector<Reorder> after_;
};

/// A loop of our own. `prepare` gets the memory once and returns what runs.
class KernelRunner : public Runner {
 public:
  using Kernel = std::function<void(const Draw&)>;
  explicit KernelRunner(std::function<Kernel(const Binding&)> prepare) : prepare_(std::move(prepare)) {}
  void bind(const Binding& binding) override { kernel_ = prepare_(binding); }
  void run(dnnl::stream&, const Draw& draw) override { kernel_(draw); }

 private:
  std::function<Kernel(const Binding&)> prepare_;
  Kernel kernel_;
};

/// Makes a runner for a step.
using MakeRunner = std::unique_ptr<Runner> (*)(const BuildContext&);

/// How the engine runs an operation. Backward operations have entries of their own.
struct EngineOp {
  const OpInfo* op = nullptr;
  MakeRunner make = nullptr;
};

[[noreturn]] inline void fail_no_implementation(const BuildContext& context) {
  fail<RuntimeFailure>({.where = describe(context.graph(), context.step->node),
                        .expected = "an implementation in this build of oneDNN",
                        .got = "none for these dimensions"});
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
