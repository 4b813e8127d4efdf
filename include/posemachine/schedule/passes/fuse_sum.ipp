// The definitions of schedule/passes/fuse_sum.hpp.
#pragma once

#include <posemachine/schedule/passes/fuse_sum.hpp>

#include <posemachine/graph/graph.hpp>
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

// Whether a step between two others, or the first of them, reads a value.
POSEMACHINE_INLINE bool is_read_between(const Schedule& schedule, int value, int first, int end) {
  for (int i = first; i < end; ++i) {
    bool reads = false;
    schedule.steps[static_cast<std::size_t>(i)].for_each_read([&](int each) { reads = reads || each == value; });
    if (reads) return true;
  }
  return false;
}

// How a sum can become part of a convolution.
struct FusableSum {
  int from = -1;   // the convolution's step; -1: it cannot
  int other = -1;  // the value that it adds to
};

POSEMACHINE_INLINE FusableSum fusable_sum(const Schedule& schedule, const Traffic& traffic, std::size_t i) {
  const Step& sum = schedule.steps[i];
  const auto at = [](int index) { return static_cast<std::size_t>(index); };
  if (sum.kind() != OpKind::sum || sum.srcs.size() != 2) return {};
  for (int k = 0; k < 2; ++k) {
    const int learnt = schedule.src(sum, k);
    const int other = schedule.src(sum, 1 - k);
    const int from = traffic.writer[at(learnt)];
    const int before = traffic.writer[at(other)];
    if (from < 0 || before < 0 || before > from || traffic.readers[at(learnt)] != 1) continue;
    const Step& convolution = schedule.steps[at(from)];
    if (convolution.kind() != OpKind::convolution || !convolution.post_ops.empty()) continue;
    const ScheduledValue& summand = schedule.value(other);
    const bool free = summand.parent < 0 && !summand.external && !is_output(*schedule.graph, other) &&
                      summand.last_step == static_cast<int>(i) && summand.layout == Layout::blocked;
    if (!free || is_read_between(schedule, other, from, static_cast<int>(i))) continue;
    return {from, other};
  }
  return {};
}

}  // namespace detail

POSEMACHINE_INLINE void fuse_sum(Schedule& schedule, const PassContext&) {
  if (!schedule.device.post_op_sum) return;
  const detail::Traffic traffic{schedule};
  const std::vector<int> twins = detail::twins_of(schedule);
  const auto at = [](int index) { return static_cast<std::size_t>(index); };
  std::vector<detail::FusableSum> ways;
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    ways.push_back(detail::fusable_sum(schedule, traffic, i));
  }
  std::vector<bool> gone(schedule.steps.size(), false);
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    const detail::FusableSum way = ways[i];
    if (way.from < 0) continue;
    const int twin = twins[at(way.from)];
    if ((twins[i] >= 0 || twin >= 0) && (twins[i] < 0 || twin < 0 || ways[at(twins[i])].from != twin)) continue;
    Step& convolution = schedule.steps[at(way.from)];
    const int dst = schedule.steps[i].dst;
    convolution.post_ops.push_back({.kind = PostOp::Kind::sum, .value = way.other});
    convolution.dst = dst;
    schedule.value(way.other).parent = dst;
    schedule.value(way.other).channel_offset = 0;
    gone[i] = true;
  }
  erase_steps(schedule, gone);
}

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
