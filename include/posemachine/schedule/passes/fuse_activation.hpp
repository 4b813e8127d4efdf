// fuse_activation: an activation that alone reads a convolution becomes part of it.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/op_info.hpp>
#include <posemachine/schedule/edit.hpp>
#include <posemachine/schedule/pass.hpp>
#include <posemachine/schedule/schedule.hpp>
#include <posemachine/schedule/traffic.hpp>
#include <posemachine/schedule/twins.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

// By step: the convolution that an activation can become part of; -1: none.
inline std::vector<int> fusable_activations(const Schedule& schedule) {
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

/// The convolution then writes the activation's dst, and its own dst is never stored. Right for training too: backward
/// nodes that need the convolution's dst are readers of it, and those of ReLU and sigmoid need what stands after. A
/// convolution that is computed twice takes its activation in both times or never.
inline void fuse_activation(Schedule& schedule, const PassContext& = {}) {
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

inline constexpr SchedulePass fuse_activation_pass{
    .name = "fuse_activation",
    .does = "a convolution ends in the activation that alone reads it, or the sum it adds to",
    .run = fuse_activation,
    .after = {"fuse_sum"},
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
