// The definitions of schedule/schedule.hpp.
#pragma once

#include <posemachine/schedule/schedule.hpp>

#include <algorithm>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

POSEMACHINE_INLINE int Step::summand() const {
  for (const PostOp& each : post_ops) {
    if (each.kind == PostOp::Kind::sum) return each.value;
  }
  return -1;
}

POSEMACHINE_INLINE int Step::activation() const {
  return !post_ops.empty() && post_ops.back().kind == PostOp::Kind::activation ? post_ops.back().node : -1;
}

POSEMACHINE_INLINE const Node& Schedule::node(const Step& step) const {
  return step.op == &reorder_op ? reorder_node : graph->nodes[static_cast<std::size_t>(step.node)];
}

POSEMACHINE_INLINE bool Schedule::has_gradients() const {
  return std::any_of(graph->nodes.begin(), graph->nodes.end(), [](const Node& each) { return each.forward >= 0; });
}

POSEMACHINE_INLINE Schedule::Place Schedule::place(int id) const {
  Place found{id, 0};
  while (value(found.root).parent >= 0) {
    found.channel_offset += value(found.root).channel_offset;
    found.root = value(found.root).parent;
  }
  found.channel_offset += value(found.root).channel_offset;
  return found;
}

POSEMACHINE_INLINE bool Schedule::stands_at(int part, int whole, int channel) const {
  const Place of_part = place(part);
  const Place of_whole = place(whole);
  return part != whole && of_part.root == of_whole.root && of_part.channel_offset == of_whole.channel_offset + channel;
}

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
