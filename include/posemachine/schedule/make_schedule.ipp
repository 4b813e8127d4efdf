// The definitions of schedule/make_schedule.hpp.
#pragma once

#include <posemachine/schedule/make_schedule.hpp>

#include <posemachine/graph/ops/convolution.hpp>
#include <posemachine/graph/sizes.hpp>
#include <posemachine/schedule/edit.hpp>

#include <cstddef>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

namespace detail {

// An input of few channels that only convolutions read stays plain: their first-layer kernels take it so, and a blocked
// copy of 3 channels would be 5.3 times larger (3 padded to 16).
POSEMACHINE_INLINE bool stays_plain(const Graph& graph, int value, int block) {
  if (graph.values[static_cast<std::size_t>(value)].channels >= block) return false;
  for (const Node& node : graph.nodes) {
    for (int i = 0; i < node.inputs.count; ++i) {
      if (input(graph, node, i).id != value) continue;
      const bool reads_src =
          i == 0 && (node.op->kind() == OpKind::convolution || node.op == &convolution_backward_weights_op);
      if (!reads_src) return false;
    }
  }
  return true;
}

}  // namespace detail

POSEMACHINE_INLINE Schedule make_schedule(const Graph& graph, int batch, Size image, Mode mode,
                                          const Capabilities& device) {
  Schedule schedule;
  schedule.graph = &graph;
  schedule.mode = mode;
  schedule.device = device;
  const std::vector<Size> sizes = infer_sizes(graph, image);
  schedule.values.resize(graph.values.size());
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    ScheduledValue& value = schedule.values[i];
    static_cast<MapDesc&>(value) = {batch,
                                    graph.values[i].channels,
                                    sizes[i].height,
                                    sizes[i].width,
                                    device.blocked ? Layout::blocked : Layout::plain,
                                    device.channel_block,
                                    graph.values[i].type};
  }
  for (const Port& port : graph.inputs) {
    if (device.blocked && !detail::stays_plain(graph, port.value, device.channel_block)) continue;
    schedule.value(port.value).layout = Layout::plain;
    schedule.value(port.value).external = device.host_visible;
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Step& step = schedule.steps.emplace_back();
    step.op = graph.nodes[i].op;
    step.node = static_cast<int>(i);
    step.dst = graph.nodes[i].dst;
    for (int k = 0; k < graph.nodes[i].inputs.count; ++k) step.srcs.push_back(input(graph, graph.nodes[i], k).id);
  }
  find_uses(schedule);
  return schedule;
}

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
