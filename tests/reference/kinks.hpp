// How far a run is from a kink of relu or max_pool: nearer than rounding, an engine may rightly take the other side.
#pragma once

#include "oracle.hpp"

#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/activation.hpp>
#include <posemachine/graph/ops/pooling.hpp>
#include <posemachine/graph/ops/prelu.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace posemachine::reference {

/// The smallest distance of a relu's (leaky_relu's, prelu's) src from 0, of a hard_swish's from -3 and 3, or of a
/// window's largest cell from its second, in a run's values. Equal cells are no kink here: they are the zeros that relu
/// and dropout leave, and rounding keeps them equal.
inline double nearest_kink(const Graph& graph, const Result& result) {
  double nearest = std::numeric_limits<double>::infinity();
  const auto meet = [&](double distance) {
    if (distance > 0) nearest = std::min(nearest, distance);
  };
  for (const Node& node : graph.nodes) {
    const bool rectifies = node.op == &relu_op || node.op == &leaky_relu_op || node.op == &prelu_op;
    if (!rectifies && node.op != &hard_swish_op && node.op != &max_pool_op) continue;
    const Array& src = result[input(graph, node, 0)];
    const Array& dst = result[Value{node.dst}];
    for_each_element(dst, [&](int image, int c, int y, int x) {
      if (rectifies) return meet(std::abs(src.at(image, c, y, x)));
      if (node.op == &hard_swish_op) return meet(std::abs(std::abs(src.at(image, c, y, x)) - 3));
      for (const auto& [src_y, src_x] : window_cells(node.options, src, y, x)) {
        meet(dst.at(image, c, y, x) - src.at(image, c, src_y, src_x));
      }
    });
  }
  return nearest;
}

}  // namespace posemachine::reference
