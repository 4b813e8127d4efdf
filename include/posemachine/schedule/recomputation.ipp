// The definitions of schedule/recomputation.hpp.
#pragma once

#include <posemachine/schedule/recomputation.hpp>

#include <posemachine/graph/passes/recompute.hpp>
#include <posemachine/graph/sizes.hpp>
#include <posemachine/schedule/make_schedule.hpp>
#include <posemachine/schedule/memory_plan.hpp>
#include <posemachine/schedule/schedule.hpp>
#include <posemachine/schedule/schedule_passes.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

namespace detail {

// The bytes of maps that an execution of this graph needs at once, and of what it keeps for backward nodes.
POSEMACHINE_INLINE std::size_t estimate_arena(const Graph& graph, int batch, Size image, const Capabilities& device) {
  Schedule schedule = make_schedule(graph, batch, image, Mode::training, device);
  SchedulePasses().run(schedule);
  assign_arena(schedule, true);
  return schedule.arena_bytes;
}

// Of the forward nodes: what the maps up to each one take, and what is alive between it and the next.
struct ForwardMemory {
  std::vector<std::int64_t> written;
  std::vector<std::int64_t> crossing;
};

POSEMACHINE_INLINE ForwardMemory forward_memory(const Graph& graph, Size image) {
  const auto count = static_cast<std::size_t>(forward_node_count(graph));
  const std::vector<Size> sizes = infer_sizes(graph, image);
  std::vector<std::size_t> last_read(graph.values.size(), 0);
  for (std::size_t i = 0; i < count; ++i) {
    const Node& node = graph.nodes[i];
    for (int k = 0; k < node.inputs.count; ++k) last_read[static_cast<std::size_t>(input(graph, node, k).id)] = i;
  }
  ForwardMemory memory{std::vector<std::int64_t>(count, 0), std::vector<std::int64_t>(count, 0)};
  std::int64_t total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto dst = static_cast<std::size_t>(graph.nodes[i].dst);
    const std::int64_t bytes = std::int64_t{4} * graph.values[dst].channels * sizes[dst].height * sizes[dst].width;
    total += bytes;
    memory.written[i] = total;
    for (std::size_t k = i; k < last_read[dst]; ++k) memory.crossing[k] += bytes;
  }
  return memory;
}

// Ends of `segments` segments of about equal maps, each where the least is alive nearby.
POSEMACHINE_INLINE std::vector<int> segment_ends(const ForwardMemory& memory, int segments) {
  std::vector<int> ends;
  const std::int64_t total = memory.written.back();
  const std::int64_t reach = total / segments / 3;
  for (int k = 1; k < segments; ++k) {
    const std::int64_t target = total * k / segments;
    int best = -1;
    for (std::size_t i = 0; i + 1 < memory.written.size(); ++i) {
      const bool near = memory.written[i] >= target - reach && memory.written[i] <= target + reach;
      if (!near || (best >= 0 && memory.crossing[i] >= memory.crossing[static_cast<std::size_t>(best)])) continue;
      best = static_cast<int>(i);
    }
    if (best >= 0 && (ends.empty() || best + 1 > ends.back())) ends.push_back(best + 1);
  }
  return ends;
}

}  // namespace detail

POSEMACHINE_INLINE Graph recompute_for_memory(const Graph& graph, int batch, Size image, const Capabilities& device) {
  constexpr int most_segments = 16;
  Graph best = graph;
  if (forward_node_count(graph) == 0) return best;
  std::size_t least = detail::estimate_arena(graph, batch, image, device);
  const detail::ForwardMemory memory = detail::forward_memory(graph, image);
  for (int segments = 2; segments <= most_segments; ++segments) {
    Graph candidate = graph;
    recompute(candidate, detail::segment_ends(memory, segments));
    const std::size_t bytes = detail::estimate_arena(candidate, batch, image, device);
    if (bytes >= least) continue;
    least = bytes;
    best = std::move(candidate);
  }
  return best;
}

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
