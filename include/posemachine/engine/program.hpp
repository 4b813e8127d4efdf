// Program: a graph compiled for one batch, image size and device. It holds no memory for maps and no weights.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/device.hpp>
#include <posemachine/engine/gradient_layout.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/engine/program_step.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/schedule/cost_model.hpp>
#include <posemachine/schedule/schedule.hpp>
#include <posemachine/schedule/schedule_passes.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

struct ProgramOptions {
  int batch = 1;
  Size image{};     // pixels; every input has this size
  int threads = 1;  // of oneDNN, fixed when the program is compiled
  schedule::Mode mode = schedule::Mode::inference;
  Device device = Device::cpu();
  schedule::SchedulePasses passes{};
  bool reuse_memory = true;                            // buffers that never live at the same time may share memory
  std::shared_ptr<const schedule::CostModel> costs{};  // what layouts and methods are chosen by; null: estimates
  std::uint64_t max_bytes = std::uint64_t{16} << 30;   // of maps, gradients and scratchpads; weights are not counted
};

/// A graph as a schedule of kernels: what every execution of it shares. It does not change, so that threads may share
/// it. Not copyable.
class Program {
 public:
  /// Errors: UsageError for a batch or a team of none, ModelError where the size does not fit the graph, an operation
  /// is not the engine's or an execution would need more than max_bytes (found before any of it is allocated),
  /// RuntimeFailure where oneDNN has no implementation.
  Program(Graph graph, const ProgramOptions& options);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  const Graph& graph() const { return graph_; }
  const schedule::Schedule& schedule() const { return schedule_; }
  const ProgramOptions& options() const { return options_; }
  /// Where the results of a slice lie, for as many floats as gradient_layout().floats.
  const GradientLayout& gradient_layout() const { return gradients_; }

  /// Of maps, kept workspaces, and the scratch memory that lies among them.
  std::size_t arena_bytes() const { return schedule_.arena_bytes; }
  /// The arena with the scratch memory behind it.
  std::size_t memory_bytes() const { return scratch_offset_ + scratch_bytes_; }
  /// All that an execution holds: arena, scratchpads, gradients, and the caller's side of inputs and outputs.
  std::size_t execution_bytes() const;

  /// Shapes: (N, C, H, W).
  Shape shape(Value of) const;
  std::size_t plain_floats(int id) const;

  /// An input by its name. Errors: UsageError naming those there are.
  Value input_value(std::string_view name) const;

  /// What runs, in order.
  std::vector<ProgramStep> steps() const;

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
  static void require_positive(const char* option, int value);
  [[noreturn]] void refuse_memory(const std::string& where, double bytes) const;

  // Each map by itself, so that sums of their sizes cannot overflow.
  void require_bounded_maps() const;
  void require_bounded_memory() const;
  void make_kernels();

  // The operation's kernel has to serve the types of its maps and parameters.
  void require_types(const schedule::Step& step, const EngineOp& entry) const;

  // By node: the last step of it and of its backward nodes.
  std::vector<int> find_last_uses() const;

  // Scratch memory lives for one step: each one's lies where no map lives then, or all in one place behind the maps,
  // whichever takes less.
  void assign_memory();
  void place_output_copies();

  Graph graph_;
  ProgramOptions options_;
  schedule::Schedule schedule_;
  GradientLayout gradients_;
  std::vector<Compiled> compiled_;
  std::vector<OutputCopy> output_copies_;
  std::size_t forward_count_ = 0;
  std::size_t scratch_offset_ = 0;
  std::size_t scratch_bytes_ = 0;
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/program.ipp>
#endif
