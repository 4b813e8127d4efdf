// fuse_activation: an activation that alone reads a convolution becomes part of it.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/activation.hpp>
#include <posemachine/engine/lower.hpp>
#include <posemachine/engine/passes/traffic.hpp>
#include <posemachine/engine/schedule.hpp>
#include <posemachine/graph/ops/convolution.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// The convolution then writes the activation's dst, and its own dst is never stored. Right for training too: backward
/// nodes that need the convolution's dst are readers of it, and those of ReLU and sigmoid need what stands after.
inline void fuse_activation(Schedule& schedule) {
  const detail::Traffic traffic{schedule};
  std::vector<Step> kept;
  for (const Step& step : schedule.steps) {
    if (is_activation(schedule.node(step).op)) {
      const auto src = static_cast<std::size_t>(schedule.src(step, 0));
      const int before = traffic.writer[src];
      if (before >= 0 && traffic.readers[src] == 1) {
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
