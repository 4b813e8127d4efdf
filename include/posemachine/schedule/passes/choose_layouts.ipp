// The definitions of schedule/passes/choose_layouts.hpp.
#pragma once

#include <posemachine/schedule/passes/choose_layouts.hpp>

#include <posemachine/graph/build.hpp>
#include <posemachine/graph/ops/convolution.hpp>
#include <posemachine/schedule/cost_model.hpp>
#include <posemachine/schedule/edit.hpp>
#include <posemachine/schedule/minimum_cut.hpp>
#include <posemachine/schedule/slices.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

namespace detail {

POSEMACHINE_INLINE LayoutCosts layout_costs(const Schedule& schedule, const Step& step, const PassContext& context) {
  const auto is_plain = [&](int value) { return schedule.value(value).layout == Layout::plain; };
  if (std::any_of(step.srcs.begin(), step.srcs.end(), is_plain)) return {0, CostModel::never};
  const ScheduledValue& dst = schedule.value(step.dst);
  if (step.kind() == OpKind::convolution) {
    const MethodTimes times = context.convolution(convolution_case(schedule, step));
    const auto time = [&](ConvolutionMethod method) { return dst.n * times[static_cast<std::size_t>(method)]; };
    const bool in_groups = unpack<ConvolutionOptions>(schedule.node(step).options).groups > 1;
    return {std::min(time(ConvolutionMethod::direct), time(ConvolutionMethod::winograd)),
            in_groups ? CostModel::never : time(ConvolutionMethod::channels_last)};
  }
  if (step.kind() == OpKind::concat) {  // blocked branches stand in place where share_slices can put them there
    double copied = 0;
    int offset = 0;
    for (const int src : step.srcs) {
      const ScheduledValue& branch = schedule.value(src);
      if (!is_dense_slice(schedule, branch, offset, dst)) copied += static_cast<double>(branch.bytes());
      offset += branch.c;
    }
    return {copied > 0 ? CostModel::move(2 * copied, context.threads) : 0,
            CostModel::move(2 * static_cast<double>(dst.bytes()), context.threads)};
  }
  const OpKind kind = step.kind();
  const bool pools = kind == OpKind::max_pooling || kind == OpKind::average_pooling;
  const bool as_fast = (pools && !is_global(schedule.node(step))) || kind == OpKind::sum || kind == OpKind::activation;
  return {0, as_fast ? 0 : CostModel::never};
}

POSEMACHINE_INLINE std::vector<bool> choose_channels_last(const Schedule& schedule, const PassContext& context) {
  MinimumCut cut;  // the source's side: channels last
  std::vector<int> node_of_step;
  for (const Step& step : schedule.steps) {
    const int node = node_of_step.emplace_back(cut.add_node());
    const LayoutCosts each = layout_costs(schedule, step, context);
    const double least = std::min(each.blocked, each.channels_last);
    const double same = least < CostModel::never ? least : 0;
    cut.add_edge(MinimumCut::source, node, each.blocked - same);
    cut.add_edge(node, MinimumCut::sink, each.channels_last - same);
  }
  // A value is moved once for all its readers of the other layout.
  struct Moves {
    int to_blocked = -1;
    int to_channels_last = -1;
  };
  std::vector<Moves> moves(schedule.values.size());
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    const Step& step = schedule.steps[i];
    const int node = node_of_step[i];
    step.for_each_read([&](int value) {
      const Moves& each = moves[static_cast<std::size_t>(value)];
      if (each.to_blocked < 0) return;
      cut.add_edge(each.to_blocked, node, CostModel::never);
      cut.add_edge(node, each.to_channels_last, CostModel::never);
    });
    Moves& written = moves[static_cast<std::size_t>(step.dst)];
    written = {cut.add_node(), cut.add_node()};
    const double bytes = 2 * static_cast<double>(schedule.value(step.dst).bytes());
    const double cost = CostModel::move(bytes, context.threads);
    cut.add_edge(node, written.to_blocked, cost);
    cut.add_edge(written.to_channels_last, node, cost);
  }
  const std::vector<bool> side = cut.solve();
  std::vector<bool> chosen;
  for (const int node : node_of_step) chosen.push_back(side[static_cast<std::size_t>(node)]);
  return chosen;
}

}  // namespace detail

POSEMACHINE_INLINE void choose_layouts(Schedule& schedule, const PassContext& context) {
  const bool both = schedule.device.blocked && schedule.device.channels_last;
  if (schedule.mode != Mode::inference || !both || schedule.has_gradients()) return;
  const std::vector<bool> channels_last = detail::choose_channels_last(schedule, context);
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    if (channels_last[i]) schedule.value(schedule.steps[i].dst).layout = Layout::channels_last;
  }
  std::vector<Step> steps;
  std::map<std::pair<int, Layout>, int> moved;
  std::vector<int> writer(schedule.values.size(), -1);
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    Step step = std::move(schedule.steps[i]);
    const Layout wanted = channels_last[i] ? Layout::channels_last : Layout::blocked;
    const auto read = [&](int& value) {
      const Layout has = schedule.value(value).layout;
      if (has == wanted || has == Layout::plain) return;
      const auto [found, is_new] = moved.insert({{value, wanted}, static_cast<int>(schedule.values.size())});
      if (is_new) {
        ScheduledValue copy = schedule.value(value);
        copy.layout = wanted;
        copy.parent = -1;
        schedule.values.push_back(copy);
        Step& move = steps.emplace_back();
        move.op = &reorder_op;
        move.node = writer[static_cast<std::size_t>(value)];
        move.srcs = {value};
        move.dst = found->second;
      }
      value = found->second;
    };
    for (int& src : step.srcs) read(src);
    for (PostOp& each : step.post_ops) {
      if (each.kind != PostOp::Kind::sum) continue;
      const int summand = each.value;
      read(each.value);
      if (each.value == summand) continue;
      // What lies where dst will is the copy.
      schedule.value(each.value).parent = std::exchange(schedule.value(summand).parent, -1);
    }
    writer[static_cast<std::size_t>(step.dst)] = step.node;
    steps.push_back(std::move(step));
  }
  set_steps(schedule, std::move(steps));
}

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
