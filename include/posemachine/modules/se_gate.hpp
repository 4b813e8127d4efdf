// SEGate: every channel weighted by a factor computed from all channels' means.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/activation.hpp>
#include <posemachine/graph/ops/channel_scale.hpp>
#include <posemachine/graph/ops/convolution.hpp>
#include <posemachine/graph/ops/pooling.hpp>

#include <cstdint>

namespace posemachine::inline POSEMACHINE_BUILD {

/// (C, H, W) -> (C, H, W): src times sigmoid(excite(relu(squeeze(mean(src))))), squeeze to C / Reduction channels.
/// C must be divisible by Reduction. Source: Hu et al. 2018 (squeeze and excitation), 3; Nie et al. 2019, 3.3 (gates).
template <std::int32_t Reduction>
struct SEGate {
  static_assert(Reduction >= 1, "SEGate<reduction>: the reduction is at least 1");

  static constexpr Value lower(Graph& graph, Value src) {
    const int channel_count = channels(graph, src);
    require(graph, channel_count % Reduction == 0 && channel_count >= Reduction, Rule::channels_divide, channel_count,
            Reduction);
    const std::int32_t squeezed = channel_count / Reduction > 0 ? channel_count / Reduction : 1;
    const Value mean = global_average_pool(graph, src);                                              // (C, 1, 1)
    const Value hidden = relu(graph, convolution(graph, mean, {.out = squeezed}));                   // (C / r, 1, 1)
    const Value excited = convolution(
        graph, hidden, {.out = channel_count, .init = static_cast<std::int32_t>(Init::lecun_normal)});  // (C, 1, 1)
    return channel_scale(graph, src, sigmoid(graph, excited));
  }
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
