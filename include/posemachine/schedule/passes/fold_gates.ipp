// The definitions of schedule/passes/fold_gates.hpp.
#pragma once

#include <posemachine/schedule/passes/fold_gates.hpp>

#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/op_info.hpp>
#include <posemachine/graph/ops/convolution.hpp>
#include <posemachine/schedule/edit.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

namespace detail {

class GateFolder {
 public:
  explicit GateFolder(Schedule& schedule)
      : schedule_(schedule), readers_(schedule.values.size()), needed_(schedule.values.size(), false) {
    for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
      const Step& step = schedule.steps[i];
      for (const int src : step.srcs) {
        std::vector<std::size_t>& list = readers_[at(src)];
        if (list.empty() || list.back() != i) list.push_back(i);
      }
      if (step.summand() >= 0) needed_[at(step.summand())] = true;
    }
    for (const Port& output : schedule.graph->outputs) needed_[at(output.value)] = true;
    stays_ = needed_;
    for (const Step& step : schedule.steps) {
      if (!takes_gates(step)) {
        for (const int src : step.srcs) stays_[at(src)] = true;
      }
    }
    // A concat that something else reads has to hold what its branches are, the gated ones too.
    for (std::size_t i = schedule.steps.size(); i-- > 0;) {
      const Step& step = schedule.steps[i];
      if (step.kind() != OpKind::concat || !stays_[at(step.dst)]) continue;
      for (const int branch : step.srcs) stays_[at(branch)] = true;
    }
  }

  /// Whether the gate of a channel_scale is now in weights, and the step needless.
  bool fold(std::size_t index, int threads) {
    const Step& step = schedule_.steps[index];
    const int gated = step.dst;
    const int src = schedule_.src(step, 0);
    const int gate = schedule_.src(step, 1);
    const ScheduledValue& map = schedule_.value(gated);
    if (map.n != 1 || schedule_.value(src).layout != map.layout || stays_[at(gated)]) return false;
    // A summand is written over before the readers come; an input may be bound to other memory later.
    if (schedule_.value(src).parent >= 0 || schedule_.value(gate).parent >= 0 || schedule_.value(gate).external) {
      return false;
    }
    const std::int64_t cells = std::int64_t{map.c} * map.h * map.w;
    std::vector<Reader> found;
    std::int64_t weights = 0;
    std::vector<std::pair<int, int>> open{{gated, 0}};  // a value, and where in it the gated channels begin
    while (!open.empty()) {
      const auto [value, first] = open.back();
      open.pop_back();
      for (const std::size_t reader : readers_[at(value)]) {
        const Step& each = schedule_.steps[reader];
        if (each.kind() == OpKind::convolution) {
          found.push_back({reader, first});
          weights += parameter(*schedule_.graph, schedule_.node(each), 0).size();
        } else {
          int offset = 0;
          for (const int branch : each.srcs) {
            if (branch == value) open.push_back({each.dst, offset + first});
            offset += schedule_.value(branch).c;
          }
        }
        if (weights * threads >= cells || found.size() + open.size() > most_readers) return false;
      }
    }
    for (const Reader& each : found) schedule_.steps[each.step].gates.push_back({gate, each.first});
    for (const std::size_t reader : readers_[at(gated)]) {
      std::vector<int>& srcs = schedule_.steps[reader].srcs;
      std::replace(srcs.begin(), srcs.end(), gated, src);
      std::vector<std::size_t>& list = readers_[at(src)];
      if (std::find(list.begin(), list.end(), reader) == list.end()) list.push_back(reader);
    }
    std::erase(readers_[at(src)], index);
    needed_[at(gate)] = stays_[at(gate)] = true;  // read as it is, even if it is itself a gated map
    count_again(src);
    return true;
  }

 private:
  static constexpr std::size_t most_readers = 32;  // each multiplies its weights in every run
  struct Reader {
    std::size_t step = 0;
    int first = 0;  // channel of the convolution's src
  };
  static std::size_t at(int index) { return static_cast<std::size_t>(index); }

  // The gate that read it is gone.
  void count_again(int value) {
    stays_[at(value)] = needed_[at(value)];
    for (const std::size_t reader : readers_[at(value)]) {
      const Step& step = schedule_.steps[reader];
      const bool concat_stays = step.kind() == OpKind::concat && stays_[at(step.dst)];
      if (!takes_gates(step) || concat_stays) stays_[at(value)] = true;
    }
  }

  bool takes_gates(const Step& step) const {
    if (step.kind() == OpKind::concat) return true;
    if (step.kind() != OpKind::convolution || step.algorithm != Algorithm::direct) return false;
    return unpack<ConvolutionOptions>(schedule_.node(step).options).groups == 1;
  }

  Schedule& schedule_;
  std::vector<std::vector<std::size_t>> readers_;  // by value: steps that have it among their srcs
  std::vector<bool> needed_;                       // by value: an output, a summand, a gate
  std::vector<bool> stays_;  // by value: its numbers have to be there, for these or for other readers
};

}  // namespace detail

POSEMACHINE_INLINE void fold_gates(Schedule& schedule, const PassContext& context) {
  if (schedule.mode != Mode::inference || !schedule.device.weight_gates || schedule.has_gradients()) return;
  detail::GateFolder folder(schedule);
  std::vector<bool> gone(schedule.steps.size(), false);
  for (std::size_t i = schedule.steps.size(); i-- > 0;) {  // what gates a gated map first
    if (schedule.steps[i].kind() == OpKind::channel_scale) gone[i] = folder.fold(i, context.threads);
  }
  erase_steps(schedule, gone);
}

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
