// ReLU and its kin, Sigmoid, Softmax, SpatialSoftmax, Dropout: layers that keep a map's shape.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/activation.hpp>
#include <posemachine/graph/ops/dropout.hpp>
#include <posemachine/graph/ops/prelu.hpp>
#include <posemachine/graph/ops/softmax.hpp>
#include <posemachine/graph/ops/spatial_softmax.hpp>

#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// dst = max(0, src).
struct ReLU {
  using AddsNoScope = ReLU;
  static constexpr Value lower(Graph& graph, Value src) { return relu(graph, src); }
};

/// dst = 1 / (1 + exp(-src)).
struct Sigmoid {
  using AddsNoScope = Sigmoid;
  static constexpr Value lower(Graph& graph, Value src) { return sigmoid(graph, src); }
};

/// dst = src above 0, slope * src below: by default 0.01. See leaky_relu().
template <LeakyReluOptions Options = LeakyReluOptions{}>
struct LeakyReLU {
  using AddsNoScope = LeakyReLU;
  static constexpr Value lower(Graph& graph, Value src) { return leaky_relu(graph, src, Options); }
};

/// dst = src above 0, a learnt slope of the channel times src below. See prelu().
struct PReLU {
  using AddsNoScope = PReLU;
  static constexpr Value lower(Graph& graph, Value src) { return prelu(graph, src); }
};

/// dst = src * sigmoid(src).
struct SiLU {
  using AddsNoScope = SiLU;
  static constexpr Value lower(Graph& graph, Value src) { return silu(graph, src); }
};

/// dst = src * min(max(src + 3, 0), 6) / 6.
struct HardSwish {
  using AddsNoScope = HardSwish;
  static constexpr Value lower(Graph& graph, Value src) { return hard_swish(graph, src); }
};

/// In every cell the channels become shares of 1. See softmax().
struct Softmax {
  using AddsNoScope = Softmax;
  static constexpr Value lower(Graph& graph, Value src) { return softmax(graph, src); }
};

/// The cells of every map become shares of one sum. See spatial_softmax().
template <SpatialSoftmaxOptions Options = SpatialSoftmaxOptions{}>
struct SpatialSoftmax {
  using AddsNoScope = SpatialSoftmax;
  static constexpr Value lower(Graph& graph, Value src) { return spatial_softmax(graph, src, Options); }
};

/// Those that have no options.
template <template <class...> class List>
using PlainActivations = List<ReLU, Sigmoid, PReLU, SiLU, HardSwish, Softmax>;

/// A share of the values, 0 to 99 of a hundred.
struct Percent {
  std::int32_t value = 50;
};

/// Zeroes a share of the values in training; Dropout<Percent{0}> adds nothing. See dropout().
template <Percent Share>
struct Dropout {
  using AddsNoScope = Dropout;
  static constexpr Value lower(Graph& graph, Value src) {
    return Share.value == 0 ? src : dropout(graph, src, {.percent = Share.value});
  }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
