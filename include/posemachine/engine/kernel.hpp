// Kernels: what the steps of a program are compiled to, and what they become with memory.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/device.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/gradient_layout.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

/// What a draw depends on besides the node: equal values give equal masks.
struct RandomKey {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  std::uint64_t first_sample = 0;  // of the execution's batch
};

/// Memory and shared objects that a kernel binds to.
struct Binding {
  const schedule::Schedule* schedule = nullptr;
  const Device* device = nullptr;
  PreparedWeights* weights = nullptr;
  const GradientLayout* gradients = nullptr;
  std::byte* arena = nullptr;
  std::byte* scratch = nullptr;
  const std::vector<std::byte*>* externals = nullptr;  // the caller's side of inputs, by value id; may change later
  std::vector<std::pair<dnnl::memory, int>>* external_memories = nullptr;  // (memory, value), to follow externals
  std::vector<std::pair<dnnl::memory, int>>* gradient_memories = nullptr;  // (memory, parameter), pointed at a slice
  const std::vector<std::pair<int, std::byte*>>* staged = nullptr;         // values that are read and written elsewhere

  /// Where a value's first element is.
  std::byte* value(int id) const;
  float* floats(int id) const { return reinterpret_cast<float*>(value(id)); }
};

class Kernel;

/// What a kernel is made from.
struct BuildContext {
  const schedule::Schedule* schedule = nullptr;
  const schedule::Step* step = nullptr;
  const Device* device = nullptr;
  GradientLayout* gradients = nullptr;
  const std::vector<const Kernel*>* by_node = nullptr;  // made so far, for backward nodes to find their forward one

  const Graph& graph() const { return *schedule->graph; }
  const Node& node() const { return schedule->node(*step); }
  const schedule::ScheduledValue& src(int i) const { return schedule->value(schedule->src(*step, i)); }
  const schedule::ScheduledValue& dst() const { return schedule->value(step->dst); }
  bool training() const { return schedule->mode == schedule::Mode::training; }
  const dnnl::engine& engine() const { return device->engine(); }
  const Kernel* forward() const { return (*by_node)[static_cast<std::size_t>(node().forward)]; }

  dnnl::memory::desc desc(const MapDesc& map) const;
  dnnl::memory::desc desc(const MapDesc& map, dnnl::memory::format_tag tag) const;
  dnnl::memory::desc any(const MapDesc& map) const { return desc(map, dnnl::memory::format_tag::any); }
};

/// A step with its memory. Belongs to one execution, and so to one thread at a time; its kernel outlives it.
class BoundKernel {
 public:
  virtual ~BoundKernel() = default;
  virtual void run(dnnl::stream& stream, const RandomKey& key) = 0;
};

/// What a step was compiled to. Once the program that holds it is complete it does not change, and executions on
/// several threads bind it at once.
class Kernel {
 public:
  virtual ~Kernel() = default;
  /// Call under creation_mutex().
  virtual std::unique_ptr<BoundKernel> bind(const Binding& binding) const = 0;
  /// Whether the host computes it, on maps that the host has to see.
  virtual bool runs_on_host() const = 0;

  std::string implementation = "posemachine";  // oneDNN's name, or ours
  std::size_t scratch_bytes = 0;               // free memory it needs while it runs
  std::size_t workspace_bytes = 0;             // memory it needs from here to its backward node
  int workspace = -1;                          // index into Schedule::workspaces, once assigned
  std::int64_t moved_bytes = 0;                // read and written by reorders and copies, in every run
};

/// Makes the kernel of a step.
using MakeKernel = std::unique_ptr<Kernel> (*)(const BuildContext&);

/// How the engine runs an operation, on maps and parameters of which types. Backward operations have entries of their
/// own.
struct EngineOp {
  const OpInfo* op = nullptr;
  MakeKernel make = nullptr;
  DataTypes types{DataType::f32};
};

[[noreturn]] void fail_no_implementation(const BuildContext& context);

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/kernel.ipp>
#endif
