// Hourglass: down to small maps and up again, with a sum at every size.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/add.hpp>
#include <posemachine/graph/ops/pooling.hpp>
#include <posemachine/graph/ops/resize.hpp>
#include <posemachine/layers/layer.hpp>

#include <array>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// (C, H, W) -> (C', H, W), H and W multiples of 2^depth, C' what `block` makes of C: block at this size, plus, at half
/// of it, block, the hourglass of one level less (at last block), block, doubled again. `block` adds a layer that keeps
/// height and width: Value block(Graph&, Value).
/// Source: Newell et al. 2016, Fig. 3.
template <class Lower>
constexpr Value hourglass(Graph& graph, Value src, int depth, const Lower& block) {
  const Value beside = block(graph, src);
  Value value = block(graph, max_pool(graph, src, {.window = 2}));
  if (depth > 1) {
    const auto smaller = [&](Graph& inside, Value low) { return hourglass(inside, low, depth - 1, block); };
    value = in_block(graph, "Hourglass", smaller, value);
  } else {
    value = block(graph, value);
  }
  value = block(graph, value);
  return add(graph, std::array{beside, resize_nearest(graph, value)});
}

/// hourglass() as a layer.
template <int Depth, class Block>
struct Hourglass {
  static_assert(Depth >= 1, "Hourglass<depth, block>: at least 1 level");
  static constexpr Value lower(Graph& graph, Value src) { return hourglass(graph, src, Depth, &apply<Block>); }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
