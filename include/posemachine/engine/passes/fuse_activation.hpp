// fuse_activation: an activation that alone reads a convolution becomes part of it.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/activation.hpp>
#include <posemachine/engine/lower.hpp>
#include <posemachine/engine/schedule.hpp>
#include <posemachine/graph/ops/convolution.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// The convolution then writes the activation's dst, and its own dst is never stored. Right for training too: backward
/// nodes that need the convolution's dst are readers of it, and those of ReLU and sigmoid need what stands after.
inline void fuse_activation(Schedule& schedule) {
  const Graph& graph = *schedule.graph;
  std::vector<int> readers(graph.values.size(), 0);
  std::vector<int> writer(graph.values.size(), -1);
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    const Step& step = schedule.steps[i];
    for (int k = 0; k < schedule.node(step).inputs.count; ++k) {
      ++readers[static_cast<std::size_t>(schedule.src(step, k))];
    }
    if (step.dst >= 0) writer[static_cast<std::size_t>(step.dst)] = static_cast<int>(i);
  }
  for (const Port& output : graph.outputs) ++readers[static_cast<std::size_t>(output.value)];

  std::vector<Step> kept;
  for (const Step& step : schedule.steps) {
    if (is_activation(schedule.node(step).op)) {
      const auto src = static_cast<std::size_t>(schedule.src(step, 0));
      const int before = writer[src];
      if (before >= 0 && readers[src] == 1) {
        Step& producer = schedule.steps[static_cast<std::size_t>(before)];
        if (schedule.node(producer).op == &convolution_op && producer.activation < 0) {
          for (Step& each : kept) {
            if (each.node != producer.node) continue;
            each.activation = step.node;
            each.dst = step.dst;
          }
          producer.activation = step.node;
          continue;
        }
      }
    }
    kept.push_back(step);
  }
  schedule.steps = std::move(kept);
  find_uses(schedule);
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
