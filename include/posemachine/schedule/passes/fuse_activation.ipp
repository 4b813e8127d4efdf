// The definitions of schedule/passes/fuse_activation.hpp.
#pragma once

#include <posemachine/schedule/passes/fuse_activation.hpp>

#include <posemachine/graph/op_info.hpp>
#include <posemachine/schedule/edit.hpp>
#include <posemachine/schedule/traffic.hpp>
#include <posemachine/schedule/twins.hpp>

#include <cstddef>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

namespace detail {

// By step: the convolution that an activation can become part of; -1: none.
POSEMACHINE_INLINE std::vector<int> fusable_activations(const Schedule& schedule) {
  const Traffic traffic{schedule};
  std::vector<int> producers(schedule.steps.size(), -1);
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    const Step& step = schedule.steps[i];
    if (!schedule.device.has_post_op(*step.op)) continue;
    const auto src = static_cast<std::size_t>(schedule.src(step, 0));
    const int before = traffic.writer[src];
    if (before < 0 || traffic.readers[src] != 1) continue;
    const Step& producer = schedule.steps[static_cast<std::size_t>(before)];
    if (producer.kind() == OpKind::convolution && producer.activation() < 0) producers[i] = before;
  }
  return producers;
}

}  // namespace detail

POSEMACHINE_INLINE void fuse_activation(Schedule& schedule, const PassContext&) {
  const std::vector<int> producers = detail::fusable_activations(schedule);
  const std::vector<int> twins = detail::twins_of(schedule);
  const auto at = [](int index) { return static_cast<std::size_t>(index); };
  std::vector<bool> gone(schedule.steps.size(), false);
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    if (producers[i] < 0) continue;
    const int other = twins[at(producers[i])];
    if (other >= 0 && (twins[i] < 0 || producers[at(twins[i])] != other)) continue;
    Step& producer = schedule.steps[at(producers[i])];
    producer.post_ops.push_back({.kind = PostOp::Kind::activation, .node = schedule.steps[i].node});
    producer.dst = schedule.steps[i].dst;
    if (producer.summand() >= 0) schedule.value(producer.summand()).parent = producer.dst;
    gone[i] = true;
  }
  erase_steps(schedule, gone);
}

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
