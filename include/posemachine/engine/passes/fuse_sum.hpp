// fuse_sum: a convolution that ends in a sum adds to the other summand where that one lies.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/activation.hpp>
#include <posemachine/engine/lower.hpp>
#include <posemachine/engine/passes/traffic.hpp>
#include <posemachine/engine/schedule.hpp>
#include <posemachine/graph/ops/add.hpp>
#include <posemachine/graph/ops/convolution.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

// Whether a step between two others, or the first of them, reads a value.
inline bool is_read_between(const Schedule& schedule, int value, int first, int end) {
  for (int i = first; i < end; ++i) {
    bool reads = false;
    schedule.steps[static_cast<std::size_t>(i)].for_each_read([&](int each) { reads = reads || each == value; });
    if (reads) return true;
  }
  return false;
}

}  // namespace detail

/// add(convolution(x), y), y computed before and read by nobody after, becomes one step: the convolution writes dst,
/// which lies where y lay, as y + convolution(x); an activation that alone reads the sum is taken in as well, if
/// asked for.
/// Residual blocks then touch their maps once instead of three times. To be run before passes that place values.
inline void fuse_sum(Schedule& schedule, bool with_activation) {
  const detail::Traffic traffic{schedule};
  std::vector<bool> gone(schedule.steps.size(), false);
  const auto at = [](int index) { return static_cast<std::size_t>(index); };
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    const Step& sum = schedule.steps[i];
    if (schedule.node(sum).op != &add_op || schedule.node(sum).inputs.count != 2) continue;
    for (int k = 0; k < 2; ++k) {
      const int learnt = schedule.src(sum, k);
      const int other = schedule.src(sum, 1 - k);
      const int from = traffic.writer[at(learnt)];
      const int before = traffic.writer[at(other)];
      if (from < 0 || before < 0 || before > from || traffic.readers[at(learnt)] != 1) continue;
      Step& convolution = schedule.steps[at(from)];
      const Node& node = schedule.node(convolution);
      if (node.op != &convolution_op || convolution.activation >= 0 || convolution.sum >= 0 || gone[at(from)]) continue;
      const ScheduledValue& summand = schedule.value(other);
      const bool free = summand.parent < 0 && !summand.external && !is_output(*schedule.graph, other) &&
                        summand.last_step == static_cast<int>(i) && summand.layout == Layout::blocked;
      if (!free || detail::is_read_between(schedule, other, from, static_cast<int>(i))) continue;
      int dst = sum.dst;
      if (with_activation && traffic.readers[at(dst)] == 1) {
        const int next = traffic.reader[at(dst)];
        if (next >= 0 && is_activation(schedule.node(schedule.steps[at(next)]).op)) {
          dst = schedule.steps[at(next)].dst;
          convolution.activation = schedule.steps[at(next)].node;
          gone[at(next)] = true;
        }
      }
      convolution.sum = other;
      convolution.dst = dst;
      schedule.value(other).parent = dst;
      schedule.value(other).channel_offset = 0;
      gone[i] = true;
      break;
    }
  }
  std::vector<Step> kept;
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    if (!gone[i]) kept.push_back(schedule.steps[i]);
  }
  schedule.steps = std::move(kept);
  find_uses(schedule);
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
