// fold_gates: the factors of a gate go into the weights that read the gated map, which is then not written at all.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/lower.hpp>
#include <posemachine/engine/schedule.hpp>
#include <posemachine/graph/ops/channel_scale.hpp>
#include <posemachine/graph/ops/concat.hpp>
#include <posemachine/graph/ops/convolution.hpp>
#include <posemachine/graph/queries.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

// Where the channels of a gated value end up: weights of convolutions, through concats perhaps.
struct GateReaders {
  struct Reader {
    std::size_t step;
    int first;  // channel of the convolution's src
  };
  std::vector<Reader> convolutions;
  std::int64_t weights = 0;
};

// False where something else reads them. `first`: of the value's channels within what its readers read as `value`.
inline bool find_gate_readers(const Schedule& schedule, int value, int first, GateReaders& found) {
  if (is_output(*schedule.graph, value)) return false;
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    const Step& step = schedule.steps[i];
    int reads = 0;
    step.for_each_read([&](int each) { reads += each == value ? 1 : 0; });
    if (reads == 0) continue;
    if (std::count(step.srcs.begin(), step.srcs.end(), value) != reads) return false;  // a summand, or itself a gate
    const Node& node = schedule.node(step);
    if (node.op == &concat_op) {
      int offset = 0;
      for (const int branch : step.srcs) {
        if (branch == value && !find_gate_readers(schedule, step.dst, offset + first, found)) return false;
        offset += schedule.value(branch).c;
      }
    } else if (node.op == &convolution_op && !step.winograd) {
      const auto options = unpack<ConvolutionOptions>(node.options);
      if (options.groups != 1) return false;
      found.convolutions.push_back({i, first});
      found.weights += parameter(*schedule.graph, node, 0).size();
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace detail

/// For one image: convolution(scale(x, g)) is a convolution of x whose weights have been multiplied with g, channel by
/// channel of its src; concats in between hold x itself, which stages may then share. Done where that is less to
/// multiply: the weights by one thread, a map by all of them. Weights that Winograd's algorithm has transformed stay.
inline void fold_gates(Schedule& schedule, int threads) {
  if (schedule.mode != Mode::inference) return;
  std::vector<bool> gone(schedule.steps.size(), false);
  for (std::size_t i = schedule.steps.size(); i-- > 0;) {  // what gates a gated map first
    const Step& step = schedule.steps[i];
    if (schedule.node(step).op != &channel_scale_op) continue;
    const int gated = step.dst;
    const int src = schedule.src(step, 0);
    const int gate = schedule.src(step, 1);
    const ScheduledValue& map = schedule.value(gated);
    if (map.n != 1 || schedule.value(src).layout != map.layout) continue;
    if (schedule.value(src).parent >= 0) continue;  // a summand is written over before the readers come
    detail::GateReaders readers;
    if (!detail::find_gate_readers(schedule, gated, 0, readers)) continue;
    if (readers.weights * threads >= std::int64_t{map.c} * map.h * map.w) continue;
    for (const auto& [reader, first] : readers.convolutions) schedule.steps[reader].gates.push_back({gate, first});
    for (Step& each : schedule.steps) {
      for (int& read : each.srcs) read = read == gated ? src : read;
    }
    schedule.steps[i].srcs.clear();
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
