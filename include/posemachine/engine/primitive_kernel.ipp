// The definitions of engine/primitive_kernel.hpp.
#pragma once

#include <posemachine/engine/primitive_kernel.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/engine/prepared_weights.hpp>

#include <cstdint>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

POSEMACHINE_INLINE void PrimitiveKernel::add_src(int arg, int value, const dnnl::memory::desc& has,
                                                 const dnnl::memory::desc& wants) {
  slots_.push_back({arg, Slot::src, value, has, wants, -1});
}

POSEMACHINE_INLINE void PrimitiveKernel::add_dst(int arg, int value, const dnnl::memory::desc& has,
                                                 const dnnl::memory::desc& wants) {
  slots_.push_back({arg, Slot::dst, value, has, wants, -1});
}

POSEMACHINE_INLINE void PrimitiveKernel::add_weights(int arg, int parameter, const dnnl::memory::desc& wants) {
  slots_.push_back({arg, Slot::weights, parameter, {}, wants, -1});
}

POSEMACHINE_INLINE void PrimitiveKernel::add_gated_weights(int arg, int parameter, const dnnl::memory::desc& wants,
                                                           std::vector<schedule::ChannelGate> gates) {
  slots_.push_back({arg, Slot::gated_weights, parameter, wants, wants, -1});
  gates_ = std::move(gates);
}

POSEMACHINE_INLINE void PrimitiveKernel::add_gradient(GradientLayout& layout, int arg, int parameter,
                                                      const dnnl::memory::desc& writes) {
  GradientLayout::Entry& entry = layout.entries[static_cast<std::size_t>(parameter)];
  if (entry.written) {
    slots_.push_back({arg, Slot::gradient_term, parameter, entry.desc, writes, -1});
    return;
  }
  entry.written = true;
  entry.desc = writes;
  slots_.push_back({arg, Slot::gradient, parameter, writes, writes, -1});
}

POSEMACHINE_INLINE void PrimitiveKernel::add_own_statistic(GradientLayout& layout, int arg, int parameter,
                                                           const dnnl::memory::desc& writes, const std::string& where) {
  if (layout.entries[static_cast<std::size_t>(parameter)].written) {
    fail<ModelError>({.where = where,
                      .expected = "running statistics of its own, in training",
                      .got = "those of another node",
                      .remedy = "share layers without batch norm, or freeze it"});
  }
  add_gradient(layout, arg, parameter, writes);
}

POSEMACHINE_INLINE void PrimitiveKernel::add_statistic(int arg, int parameter, const dnnl::memory::desc& desc) {
  slots_.push_back({arg, Slot::gradient, parameter, desc, desc, -1});
}

POSEMACHINE_INLINE void PrimitiveKernel::add_workspace(int arg, const dnnl::memory::desc& desc) {
  workspace_bytes = desc.get_size();
  slots_.push_back({arg, Slot::workspace, -1, desc, desc, -1});
}

POSEMACHINE_INLINE void PrimitiveKernel::add_workspace_of(int arg, const Kernel* forward,
                                                          const dnnl::memory::desc& desc) {
  forward_ = forward;
  slots_.push_back({arg, Slot::workspace_of_forward, -1, desc, desc, -1});
}

POSEMACHINE_INLINE void PrimitiveKernel::finish() {
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

POSEMACHINE_INLINE std::unique_ptr<BoundKernel> PrimitiveKernel::bind(const Binding& binding) const {
  const dnnl::engine& engine = binding.device->engine();
  auto bound = std::make_unique<Bound>(*this);
  bound->memories.reserve(slots_.size() + 1);
  for (const Slot& slot : slots_) {
    dnnl::memory memory = memory_of(slot, binding, engine);
    if (slot.scratch_offset >= 0) {
      dnnl::memory moved(slot.wants, engine, binding.scratch + slot.scratch_offset);
      if (slot.kind == Slot::gradient_term) {
        bound->after.emplace_back(moved, memory, true);
      } else if (slot.kind == Slot::gated_weights) {
        dnnl::stream stream(engine);
        bound->gatings.emplace_back(memory, moved, gates_of(binding), stream);
      } else if (slot.kind == Slot::src) {
        bound->before.emplace_back(memory, moved);
      } else {
        bound->after.emplace_back(moved, memory);
      }
      memory = moved;
    }
    bound->add(slot.arg, memory);
  }
  if (scratchpad_.get_size() > 0) bound->add(DNNL_ARG_SCRATCHPAD, {scratchpad_, engine, binding.scratch});
  return bound;
}

POSEMACHINE_INLINE void PrimitiveKernel::Bound::add(int arg, const dnnl::memory& memory) {
  memories.push_back(memory);
  args.push_back({arg, memories.back().get()});
}

POSEMACHINE_INLINE void PrimitiveKernel::Bound::run(dnnl::stream& stream, const RandomKey&) {
  for (WeightGating& gating : gatings) gating.run();
  for (const Reorder& reorder : before) reorder.run(stream);
  const dnnl_status_t status =
      dnnl_primitive_execute(kernel.primitive_.get(), stream.get(), static_cast<int>(args.size()), args.data());
  if (status != dnnl_success) {
    fail<RuntimeFailure>({.where = "oneDNN " + kernel.implementation, .got = "status " + std::to_string(status)});
  }
  for (const Reorder& reorder : after) reorder.run(stream);
}

POSEMACHINE_INLINE dnnl::memory PrimitiveKernel::memory_of(const Slot& slot, const Binding& binding,
                                                           const dnnl::engine& engine) const {
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

POSEMACHINE_INLINE std::vector<WeightGating::Gate> PrimitiveKernel::gates_of(const Binding& binding) const {
  std::vector<WeightGating::Gate> found;
  for (const schedule::ChannelGate& each : gates_) {
    // One cell: its channels are contiguous in every layout.
    found.push_back({binding.floats(each.gate), each.first, binding.schedule->value(each.gate).c});
  }
  return found;
}

POSEMACHINE_INLINE dnnl::memory PrimitiveKernel::workspace_memory(const Kernel& owner, const Slot& slot,
                                                                  const Binding& binding, const dnnl::engine& engine) {
  const schedule::Workspace& workspace = binding.schedule->workspaces[static_cast<std::size_t>(owner.workspace)];
  return {slot.has, engine, binding.arena + workspace.arena_offset};
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
