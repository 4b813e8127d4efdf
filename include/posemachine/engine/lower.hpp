// lower: Graph -> Schedule, one step a node, before any pass.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/engine/schedule.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/convolution.hpp>
#include <posemachine/graph/sizes.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

// An input of few channels that only convolutions read stays plain: their first-layer kernels take it so, and a blocked
// copy of 3 channels would be 5.3 times larger (3 padded to 16).
inline bool stays_plain(const Graph& graph, int value, int block) {
  if (graph.values[static_cast<std::size_t>(value)].channels >= block) return false;
  for (const Node& node : graph.nodes) {
    for (int i = 0; i < node.inputs.count; ++i) {
      if (input(graph, node, i).id != value) continue;
      const bool reads_src = i == 0 && (node.op == &convolution_op || node.op == &convolution_backward_weights_op);
      if (!reads_src) return false;
    }
  }
  return true;
}

}  // namespace detail

/// Recomputes who writes and who reads every value, from the steps.
inline void find_uses(Schedule& schedule) {
  for (ScheduledValue& value : schedule.values) value.first_step = value.last_step = -1;
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    const Step& step = schedule.steps[i];
    const int at = static_cast<int>(i);
    step.for_each_read([&](int value) { schedule.value(value).last_step = at; });
    if (step.dst >= 0) {
      ScheduledValue& dst = schedule.value(step.dst);
      if (dst.first_step < 0) dst.first_step = at;
      dst.last_step = std::max(dst.last_step, at);
    }
  }
  for (const Port& output : schedule.graph->outputs) {  // read by the copy that follows their step
    ScheduledValue& value = schedule.value(output.value);
    value.last_step = std::max(value.last_step, value.first_step);
  }
}

/// One step a node, every map in the blocked layout, every value in a buffer of its own.
/// Errors: ModelError where the image's size does not fit the graph.
inline Schedule lower(const Graph& graph, int batch, Size image, Mode mode, int block) {
  Schedule schedule;
  schedule.graph = &graph;
  schedule.mode = mode;
  schedule.block = block;
  const std::vector<Size> sizes = infer_sizes(graph, image);
  schedule.values.resize(graph.values.size());
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    ScheduledValue& value = schedule.values[i];
    value.n = batch;
    value.c = graph.values[i].channels;
    value.h = sizes[i].height;
    value.w = sizes[i].width;
  }
  for (const Port& port : graph.inputs) {
    if (!detail::stays_plain(graph, port.value, block)) continue;
    schedule.value(port.value).layout = Layout::plain;
    schedule.value(port.value).external = true;
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Step& step = schedule.steps.emplace_back();
    step.node = static_cast<int>(i);
    step.dst = graph.nodes[i].dst;
    for (int k = 0; k < graph.nodes[i].inputs.count; ++k) step.srcs.push_back(input(graph, graph.nodes[i], k).id);
  }
  find_uses(schedule);
  return schedule;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
