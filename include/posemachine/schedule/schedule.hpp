// The schedule of a graph: steps on values that have dimensions, a layout and a place in memory.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/map.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/schedule/capabilities.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

/// What batch norm and dropout do, and whether workspaces are kept for backward nodes.
enum class Mode : std::uint8_t { inference, training };

/// A value as a map, and where it lives: in a buffer of its own, or inside the buffer of another value.
struct ScheduledValue : MapDesc {
  int parent = -1;               // the value whose buffer holds this one; -1: a buffer of its own
  int channel_offset = 0;        // within the parent, or within its own buffer
  int buffer_channels = 0;       // of a buffer that is larger than its value; 0: it is not
  bool external = false;         // an input's buffer: outside the arena, never reused
  int first_step = -1;           // the step that writes it
  int last_step = -1;            // the last step that reads it
  std::size_t arena_offset = 0;  // bytes; of roots

  std::size_t buffer_bytes() const { return bytes_of(buffer_channels > 0 ? buffer_channels : padded_channels()); }
};

/// Factors of a convolution's src, one a channel from `first` on, that its weights are multiplied with in every run.
struct ChannelGate {
  int gate = -1;  // a value of one cell
  int first = 0;
};

/// How a step computes its operation, where there is a choice.
enum class Algorithm : std::uint8_t { direct, winograd };

/// What a step does to its result before dst holds it, in oneDNN's words; several are done in order.
struct PostOp {
  enum class Kind : std::uint8_t { sum, activation };
  Kind kind = Kind::sum;
  int value = -1;  // of a sum: what is added to; it lies where dst does
  int node = -1;   // of an activation: its node, whose value is dst
};

/// One thing to do. Backward nodes keep the index of their forward node in the graph.
struct Step {
  const OpInfo* op = nullptr;  // what runs: the node's, or reorder_op
  int node = -1;               // of the graph; of a reorder: the one whose value it moves
  std::vector<int> srcs;       // values read, in the order of the node's inputs
  int dst = -1;                // value written; -1: only parameter gradients
  Algorithm algorithm = Algorithm::direct;
  std::vector<PostOp> post_ops;
  std::vector<ChannelGate> gates;  // of a convolution for a single image
  bool elided = false;             // nothing to run: src and dst are the same memory

  OpKind kind() const { return op->kind(); }

  /// Of a post-op sum, or -1.
  int summand() const;
  /// The node of the activation that it ends in, or -1.
  int activation() const;

  /// Calls visit(value) for every value that is read, the same one perhaps more than once.
  template <class Visit>
  void for_each_read(const Visit& visit) const {
    for (const int src : srcs) visit(src);
    if (summand() >= 0) visit(summand());
    for (const ChannelGate& each : gates) visit(each.gate);
  }
};

/// Bytes that live from one step to another: what a backward node needs, or a step's scratch memory.
struct Workspace {
  std::size_t bytes = 0;
  int first_step = 0;
  int last_step = 0;
  std::size_t arena_offset = 0;
};

/// src in another layout, for some of its readers. Schedules alone hold it.
inline constexpr OpInfo reorder_op{.name = "reorder"};
inline constexpr Node reorder_node = [] {
  Node node;
  node.op = &reorder_op;
  return node;
}();

struct Schedule {
  const Graph* graph = nullptr;
  Mode mode = Mode::inference;
  Capabilities device{};
  std::vector<ScheduledValue> values;
  std::vector<Step> steps;
  std::vector<Workspace> workspaces;
  std::size_t arena_bytes = 0;

  /// Channels that stand together in the blocked layout.
  int block() const { return device.channel_block; }
  /// What a step runs, with its options and parameters.
  const Node& node(const Step& step) const;
  ScheduledValue& value(int id) { return values[static_cast<std::size_t>(id)]; }
  const ScheduledValue& value(int id) const { return values[static_cast<std::size_t>(id)]; }

  /// Whether the graph was differentiated: some steps then write gradients of parameters only, and have no dst.
  bool has_gradients() const;

  int src(const Step& step, int i) const { return step.srcs[static_cast<std::size_t>(i)]; }

  /// Where a value lives: the root of its parents and the channels from the first of the root's buffer.
  struct Place {
    int root = -1;
    int channel_offset = 0;
  };
  Place place(int id) const;
  /// Whether a value stands inside another, `channel` channels from its beginning.
  bool stands_at(int part, int whole, int channel) const;
};

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/schedule/schedule.ipp>
#endif
