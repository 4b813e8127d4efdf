// Hourglass: down to small maps and up again, with a sum at every size.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/add.hpp>
#include <posemachine/graph/ops/pooling.hpp>
#include <posemachine/graph/ops/resize.hpp>
#include <posemachine/layers/layer.hpp>

#include <array>

namespace posemachine::inline POSEMACHINE_BUILD {

/// (C, H, W) -> (C', H, W), H and W multiples of 2^Depth, C' what Block makes of C: Block at this size, plus, at half
/// of it, Block, the hourglass of one level less (at last Block), Block, doubled again. Block keeps height and width.
/// Source: Newell et al. 2016, Fig. 3.
template <int Depth, class Block>
struct Hourglass {
  static_assert(Depth >= 1, "Hourglass<depth, block>: at least 1 level");

  static constexpr Value lower(Graph& graph, Value src) {
    const Value beside = apply<Block>(graph, src);
    Value value = apply<Block>(graph, max_pool(graph, src, {.window = 2}));
    if constexpr (Depth > 1) {
      value = apply<Hourglass<Depth - 1, Block>>(graph, value);
    } else {
      value = apply<Block>(graph, value);
    }
    value = apply<Block>(graph, value);
    return add(graph, std::array{beside, resize_nearest(graph, value)});
  }
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
