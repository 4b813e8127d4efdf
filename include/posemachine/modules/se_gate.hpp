// SEGate: every channel weighted by a factor computed from all channels' means.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/activation.hpp>
#include <posemachine/graph/ops/channel_scale.hpp>
#include <posemachine/graph/ops/convolution.hpp>
#include <posemachine/graph/ops/pooling.hpp>

#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

struct SEGateOptions {
  std::int32_t reduction = 16;  // channels over channels between
};

/// (C, H, W) -> (C, H, W): src times sigmoid(excite(relu(squeeze(mean(src))))), squeeze to C / reduction channels.
/// C must be divisible by the reduction. Source: Hu et al. 2018 (squeeze and excitation), 3; Nie et al. 2019, 3.3
/// (gates).
constexpr Value se_gate(Graph& graph, Value src, const SEGateOptions& options) {
  const int channel_count = channels(graph, src);
  const std::int32_t squeezed = channels_over(graph, channel_count, options.reduction);
  const Value mean = global_average_pool(graph, src);                             // (C, 1, 1)
  const Value hidden = relu(graph, convolution(graph, mean, {.out = squeezed}));  // (C / r, 1, 1)
  const Value excited = convolution(graph, hidden, {.out = channel_count, .init = Init::lecun_normal});  // (C, 1, 1)
  return channel_scale(graph, src, sigmoid(graph, excited));
}

/// se_gate() as a layer: SEGate<16>.
template <std::int32_t Reduction>
struct SEGate {
  static_assert(Reduction >= 1, "SEGate<reduction>: the reduction is at least 1");
  static constexpr Value lower(Graph& graph, Value src) { return se_gate(graph, src, {.reduction = Reduction}); }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
