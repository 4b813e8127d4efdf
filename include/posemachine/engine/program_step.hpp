// What one step of a program is and does, for tables, profiles and tests.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/op_info.hpp>
#include <posemachine/graph/ops/add.hpp>
#include <posemachine/graph/queries.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace posemachine::inline POSEMACHINE_BUILD {

/// One step of a program. A step that others were fused into stands for them too.
struct ProgramStep {
  int node = -1;
  std::string operation;           // "convolution", or with what it ends in: "convolution + add + relu"; "reorder"
  std::string block;               // "Trunk_1.Conv_1"; empty outside of all
  std::string description;         // "node 12 (convolution in Trunk_1.Conv_1)"
  std::string implementation;      // oneDNN's name for the kernel, or ours
  std::string layout;              // of dst: "plain", "blocked", "channels last"; "plain > blocked" where src differs
  std::string shape;               // of dst: "1 x 32 x 46 x 46"
  std::int64_t multiply_adds = 0;  // of the whole batch
  std::int64_t bytes = 0;          // read and written: maps and weights
  std::int64_t moved_bytes = 0;    // read and written only to stand elsewhere, or in another layout
};

namespace detail {

inline std::string layout_name(Layout layout) {
  switch (layout) {
    case Layout::plain: return "plain";
    case Layout::blocked: return "blocked";
    default: return "channels last";
  }
}

inline ProgramStep program_step(const Schedule& schedule, const Step& step, const Kernel& kernel) {
  const Graph& graph = *schedule.graph;
  const Node& node = schedule.node(step);
  ProgramStep facts;
  facts.node = step.node;
  facts.operation = (step.gates.empty() ? "" : "channel_scale + ") + std::string(node.op->name);
  for (const PostOp& each : step.post_ops) {
    facts.operation += " + ";
    if (each.kind == PostOp::Kind::sum) facts.operation += add_op.name;
    if (each.kind == PostOp::Kind::activation) {
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
  const ScheduledValue& dst = schedule.value(step.dst);
  facts.bytes += map_bytes(step.dst);
  facts.shape = std::to_string(dst.n) + " x " + std::to_string(dst.c) + " x " + std::to_string(dst.h) + " x " +
                std::to_string(dst.w);
  facts.layout = layout_name(dst.layout);
  if (!step.srcs.empty()) {
    const Layout src = schedule.value(schedule.src(step, 0)).layout;
    if (src != dst.layout) facts.layout = layout_name(src) + " > " + facts.layout;
  }
  if (step.op != &reorder_op) facts.multiply_adds = dst.n * count_multiply_adds(graph, node, {dst.h, dst.w});
  return facts;
}

}  // namespace detail

}  // namespace posemachine::inline POSEMACHINE_BUILD
