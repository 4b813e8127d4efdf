// The schedule of a graph: steps on values that have dimensions, a layout and a place in memory.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/graph/graph.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

enum class Layout : std::uint8_t {
  plain,   // (N, C, H, W) row-major
  blocked  // (N, C / block, H, W, block); channels padded with zeros to whole blocks
};

/// What batch norm and dropout do, and whether workspaces are kept for backward nodes.
enum class Mode : std::uint8_t { inference, training };

/// A value with its dimensions and where it lives: in a buffer of its own, or inside the buffer of another value.
struct ScheduledValue {
  int n = 1, c = 1, h = 1, w = 1;
  Layout layout = Layout::blocked;
  int parent = -1;            // the value whose buffer holds this one; -1: a buffer of its own
  int channel_offset = 0;     // within the parent
  bool external = false;      // an input's buffer: outside the arena, never reused
  int first_step = -1;        // the step that writes it
  int last_step = -1;         // the last step that reads it
  std::size_t arena_offset = 0;  // bytes; of roots

  std::int64_t padded_channels(int block) const {
    return layout == Layout::plain ? c : (c + block - 1) / block * std::int64_t{block};
  }
  std::size_t bytes(int block) const {
    return static_cast<std::size_t>(std::int64_t{n} * padded_channels(block) * h * w) * sizeof(float);
  }
};

/// One thing to do. Backward nodes keep the index of their forward node in the graph.
struct Step {
  int node = -1;
  int activation = -1;   // the node of an activation that a convolution ends in; its value is `dst`
  int sum = -1;          // a value that a convolution adds to, before the activation: it lies where dst does
  bool winograd = false; // a convolution by Winograd's algorithm, if oneDNN has it
  int dst = -1;          // value written; -1: only parameter gradients
  bool elided = false;   // nothing to run: src and dst are the same memory
};

/// A kept workspace: bytes that live from one step to another.
struct Workspace {
  std::size_t bytes = 0;
  int first_step = 0;
  int last_step = 0;
  std::size_t arena_offset = 0;
};

struct Schedule {
  const Graph* graph = nullptr;
  Mode mode = Mode::inference;
  int block = 16;
  std::vector<ScheduledValue> values;
  std::vector<Step> steps;
  std::vector<Workspace> workspaces;
  std::size_t arena_bytes = 0;

  const Node& node(const Step& step) const { return graph->nodes[static_cast<std::size_t>(step.node)]; }
  ScheduledValue& value(int id) { return values[static_cast<std::size_t>(id)]; }
  const ScheduledValue& value(int id) const { return values[static_cast<std::size_t>(id)]; }

  int src(const Step& step, int i) const { return input(*graph, node(step), i).id; }

  /// Where a value lives: the root of its parents and the channels from the root's first.
  struct Place {
    int root = -1;
    int channel_offset = 0;
  };
  Place place(int id) const {
    Place found{id, 0};
    while (value(found.root).parent >= 0) {
      found.channel_offset += value(found.root).channel_offset;
      found.root = value(found.root).parent;
    }
    return found;
  }
  /// Whether a value stands inside another, `channel` channels from its beginning.
  bool stands_at(int part, int whole, int channel) const {
    const Place of_part = place(part);
    const Place of_whole = place(whole);
    return part != whole && of_part.root == of_whole.root &&
           of_part.channel_offset == of_whole.channel_offset + channel;
  }
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
