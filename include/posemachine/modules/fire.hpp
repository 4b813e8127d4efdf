// Fire, FireModule: few 1x1 channels squeezed out, then expanded by 1x1 and 3x3 side by side.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/concat.hpp>
#include <posemachine/modules/convolution_relu.hpp>

#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Widths of a fire; SqueezeNet's usual pairs are (16, 64), (32, 128), (48, 192), (64, 256).
struct FireOptions {
  std::int32_t squeeze = 32;  // channels between
  std::int32_t expand = 32;   // channels of each of the two branches
  Norm norm = Norm::none;     // before each ReLU
};

/// (C, H, W) -> (2 expand, H, W): 1x1 to squeeze channels, then 1x1 and 3x3 beside it; ReLU after each.
/// Source: Iandola et al. 2016 (SqueezeNet), 3.2.
constexpr Value fire(Graph& graph, Value src, const FireOptions& options) {
  const Value squeezed = convolution_relu(graph, src, {.out = options.squeeze, .kernel = 1}, options.norm);
  const Value point = convolution_relu(graph, squeezed, {.out = options.expand, .kernel = 1}, options.norm);
  const Value square = convolution_relu(graph, squeezed, {.out = options.expand, .kernel = 3}, options.norm);
  return concat(graph, {point, square});
}

/// (C, H, W) -> (4 expand, H, W): two fires, the second with a bypass that is concatenated: concat(a, fire(a)),
/// a = fire(src). Source: Nie et al. 2019, 3.3, Fig. 4.
constexpr Value fire_module(Graph& graph, Value src, const FireOptions& options) {
  const auto block = [&](Graph& inside, Value value) { return fire(inside, value, options); };
  const Value first = in_block(graph, "Fire", block, src);
  const Value second = in_block(graph, "Fire", block, first);
  return concat(graph, {first, second});
}

/// fire() as a layer.
template <FireOptions Options = FireOptions{}>
struct Fire {
  static constexpr Value lower(Graph& graph, Value src) { return fire(graph, src, Options); }
};

/// fire_module() as a layer.
template <FireOptions Options = FireOptions{}>
struct FireModule {
  static constexpr Value lower(Graph& graph, Value src) { return fire_module(graph, src, Options); }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
