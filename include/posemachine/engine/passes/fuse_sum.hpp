// fuse_sum: a convolution that ends in a sum adds to the other summand where that one lies.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/activation.hpp>
#include <posemachine/engine/lower.hpp>
#include <posemachine/engine/passes/repeats.hpp>
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

// How a sum can become part of a convolution.
struct FusableSum {
  int from = -1;        // the convolution's step; -1: it cannot
  int other = -1;       // the value that it adds to
  int activation = -1;  // the step that alone reads the sum, if that is to be taken in as well
};

inline FusableSum fusable_sum(const Schedule& schedule, const Traffic& traffic, std::size_t i, bool with_activation) {
  const Step& sum = schedule.steps[i];
  const auto at = [](int index) { return static_cast<std::size_t>(index); };
  if (schedule.node(sum).op != &add_op || schedule.node(sum).inputs.count != 2) return {};
  for (int k = 0; k < 2; ++k) {
    const int learnt = schedule.src(sum, k);
    const int other = schedule.src(sum, 1 - k);
    const int from = traffic.writer[at(learnt)];
    const int before = traffic.writer[at(other)];
    if (from < 0 || before < 0 || before > from || traffic.readers[at(learnt)] != 1) continue;
    const Step& convolution = schedule.steps[at(from)];
    if (schedule.node(convolution).op != &convolution_op || convolution.activation >= 0) continue;
    const ScheduledValue& summand = schedule.value(other);
    const bool free = summand.parent < 0 && !summand.external && !is_output(*schedule.graph, other) &&
                      summand.last_step == static_cast<int>(i) && summand.layout == Layout::blocked;
    if (!free || is_read_between(schedule, other, from, static_cast<int>(i))) continue;
    FusableSum found{from, other, -1};
    if (with_activation && traffic.readers[at(sum.dst)] == 1) {
      const int next = traffic.reader[at(sum.dst)];
      if (next >= 0 && is_activation(schedule.node(schedule.steps[at(next)]).op)) found.activation = next;
    }
    return found;
  }
  return {};
}

// Whether two ways are the same one of two steps that compute the same: of the same convolution, with or without the
// activation.
inline bool agree(const FusableSum& one, const FusableSum& other, const std::vector<int>& twins) {
  const auto twin = [&](int step) { return step < 0 ? -1 : twins[static_cast<std::size_t>(step)]; };
  return other.from >= 0 && other.from == twin(one.from) && (one.activation < 0) == (other.activation < 0) &&
         other.activation == twin(one.activation);
}

}  // namespace detail

/// add(convolution(x), y), y computed before and read by nobody after, becomes one step: the convolution writes dst,
/// which lies where y lay, as y + convolution(x); an activation that alone reads the sum is taken in as well, if
/// asked for. Residual blocks then touch their maps once instead of three times. What is computed twice is changed in
/// both places or in none. To be run before passes that place values.
inline void fuse_sum(Schedule& schedule, bool with_activation) {
  const detail::Traffic traffic{schedule};
  const std::vector<int> twins = detail::twins_of(schedule);
  const auto at = [](int index) { return static_cast<std::size_t>(index); };
  std::vector<detail::FusableSum> ways;
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    ways.push_back(detail::fusable_sum(schedule, traffic, i, with_activation));
  }
  std::vector<bool> gone(schedule.steps.size(), false);
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    const detail::FusableSum way = ways[i];
    if (way.from < 0) continue;
    const bool twice = twins[i] >= 0 || twins[at(way.from)] >= 0;
    if (twice && (twins[i] < 0 || !detail::agree(way, ways[at(twins[i])], twins))) continue;
    Step& convolution = schedule.steps[at(way.from)];
    int dst = schedule.steps[i].dst;
    if (way.activation >= 0) {
      dst = schedule.steps[at(way.activation)].dst;
      convolution.activation = schedule.steps[at(way.activation)].node;
      gone[at(way.activation)] = true;
    }
    convolution.sum = way.other;
    convolution.dst = dst;
    schedule.value(way.other).parent = dst;
    schedule.value(way.other).channel_offset = 0;
    gone[i] = true;
  }
  std::vector<Step> kept;
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    if (!gone[i]) kept.push_back(std::move(schedule.steps[i]));
  }
  schedule.steps = std::move(kept);
  find_uses(schedule);
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
