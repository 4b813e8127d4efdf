// The definitions of engine/program_step.hpp.
#pragma once

#include <posemachine/engine/program_step.hpp>

#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/op_info.hpp>
#include <posemachine/graph/ops/add.hpp>
#include <posemachine/graph/queries.hpp>

#include <cstddef>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

POSEMACHINE_INLINE std::string layout_name(Layout layout) {
  switch (layout) {
    case Layout::plain: return "plain";
    case Layout::blocked: return "blocked";
    default: return "channels last";
  }
}

POSEMACHINE_INLINE ProgramStep program_step(const schedule::Schedule& schedule, const schedule::Step& step,
                                            const Kernel& kernel) {
  const Graph& graph = *schedule.graph;
  const Node& node = schedule.node(step);
  ProgramStep facts;
  facts.node = step.node;
  facts.operation = (step.gates.empty() ? "" : "channel_scale + ") + std::string(node.op->name);
  for (const schedule::PostOp& each : step.post_ops) {
    facts.operation += " + ";
    if (each.kind == schedule::PostOp::Kind::sum) facts.operation += add_op.name;
    if (each.kind == schedule::PostOp::Kind::activation) {
      facts.operation += graph.nodes[static_cast<std::size_t>(each.node)].op->name;
    }
  }
  facts.block = scope_path(graph, graph.nodes[static_cast<std::size_t>(step.node)].scope);
  facts.description = describe(graph, step.node);
  facts.implementation = kernel.implementation;
  facts.moved_bytes = kernel.moved_bytes;
  const auto map_bytes = [&](int value) { return static_cast<std::int64_t>(schedule.value(value).bytes()); };
  // A slice reads a part of src, as large as dst.
  step.for_each_read([&](int value) { facts.bytes += map_bytes(node.op->kind() == OpKind::slice ? step.dst : value); });
  for (int k = 0; k < node.parameters.count; ++k) {
    facts.bytes += parameter(graph, node, k).size() * static_cast<std::int64_t>(sizeof(float));
  }
  if (step.dst < 0) return facts;
  const schedule::ScheduledValue& dst = schedule.value(step.dst);
  facts.bytes += map_bytes(step.dst);
  facts.shape = std::to_string(dst.n) + " x " + std::to_string(dst.c) + " x " + std::to_string(dst.h) + " x " +
                std::to_string(dst.w);
  facts.layout = layout_name(dst.layout);
  if (!step.srcs.empty()) {
    const Layout src = schedule.value(schedule.src(step, 0)).layout;
    if (src != dst.layout) facts.layout = layout_name(src) + " > " + facts.layout;
  }
  if (step.op != &schedule::reorder_op) facts.multiply_adds = dst.n * count_multiply_adds(graph, node, {dst.h, dst.w});
  return facts;
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
