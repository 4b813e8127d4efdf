// MaxPool, AveragePool, GlobalAveragePool.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/pooling.hpp>

#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

constexpr PoolingOptions with_window(PoolingOptions options, std::int32_t window) {
  options.window = window;
  return options;
}

}  // namespace detail

/// (C, H, W) -> (C, H / stride, W / stride), the largest value of each window; `window` of the options is not read.
/// See max_pool().
template <std::int32_t Window, PoolingOptions Options = PoolingOptions{}>
struct MaxPool {
  using AddsNoScope = MaxPool;
  static constexpr Value lower(Graph& graph, Value src) {
    return max_pool(graph, src, detail::with_window(Options, Window));
  }
};

/// (C, H, W) -> (C, H / stride, W / stride), the mean of each window. See average_pool().
template <std::int32_t Window, PoolingOptions Options = PoolingOptions{}>
struct AveragePool {
  using AddsNoScope = AveragePool;
  static constexpr Value lower(Graph& graph, Value src) {
    return average_pool(graph, src, detail::with_window(Options, Window));
  }
};

/// (C, H, W) -> (C, 1, 1), the mean of each channel: a global value.
struct GlobalAveragePool {
  using AddsNoScope = GlobalAveragePool;
  static constexpr Value lower(Graph& graph, Value src) { return global_average_pool(graph, src); }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
