// PyramidStack: pooling beside a stride-2 convolution, halving the size and doubling the channels.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/concat.hpp>
#include <posemachine/graph/ops/pooling.hpp>
#include <posemachine/modules/convolution_relu.hpp>

#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

struct PyramidOptions {
  std::int32_t kernel = 3;  // of the convolution
  Norm norm = Norm::none;   // before its ReLU
};

/// (C, H, W) -> (2C, H/2, W/2), H and W even: max pooling (C channels) beside a stride-2 convolution with ReLU
/// (C channels). Source: Nie et al. 2019, 3.2, Fig. 2.
constexpr Value pyramid_stack(Graph& graph, Value src, const PyramidOptions& options) {
  const Value pooled = max_pool(graph, src, {.window = 2});
  const Value learned =
      convolution_relu(graph, src, {.out = channels(graph, src), .kernel = options.kernel, .stride = 2}, options.norm);
  return concat(graph, {pooled, learned});
}

/// pyramid_stack() as a layer.
template <PyramidOptions Options = PyramidOptions{}>
struct PyramidStack {
  static constexpr Value lower(Graph& graph, Value src) { return pyramid_stack(graph, src, Options); }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
