// Upsample, UpsampleBilinear: larger maps of the same picture.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/resize.hpp>

#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// (C, H, W) -> (C, H Scale, W Scale): every cell Scale times along each side. See resize_nearest().
template <std::int32_t Scale = 2>
struct Upsample {
  using AddsNoScope = Upsample;
  static constexpr Value lower(Graph& graph, Value src) { return resize_nearest(graph, src, {.scale = Scale}); }
};

/// (C, H, W) -> (C, H Scale, W Scale): between the cells. See resize_bilinear().
template <std::int32_t Scale = 2>
struct UpsampleBilinear {
  using AddsNoScope = UpsampleBilinear;
  static constexpr Value lower(Graph& graph, Value src) { return resize_bilinear(graph, src, {.scale = Scale}); }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
