// ReLU, Sigmoid, Dropout: layers that work value by value and learn nothing.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/activation.hpp>
#include <posemachine/graph/ops/dropout.hpp>

#include <cstdint>

namespace posemachine::inline POSEMACHINE_BUILD {

/// dst = max(0, src).
struct ReLU {
  using Glue = ReLU;
  static constexpr Value lower(Graph& graph, Value src) { return relu(graph, src); }
};

/// dst = 1 / (1 + exp(-src)).
struct Sigmoid {
  using Glue = Sigmoid;
  static constexpr Value lower(Graph& graph, Value src) { return sigmoid(graph, src); }
};

/// A share of the values, 0 to 99 of a hundred.
struct Percent {
  std::int32_t value = 50;
};

/// Zeroes a share of the values in training; Dropout<Percent{0}> adds nothing. See dropout().
template <Percent Share>
struct Dropout {
  using Glue = Dropout;
  static constexpr Value lower(Graph& graph, Value src) {
    if constexpr (Share.value == 0) {
      return src;
    } else {
      return dropout(graph, src, {.percent = Share.value});
    }
  }
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
