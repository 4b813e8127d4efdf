// How far a run is from a kink of relu or max_pool: nearer than rounding, an engine may rightly take the other side.
#pragma once

#include "oracle.hpp"

#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/activation.hpp>
#include <posemachine/graph/ops/pooling.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace posemachine::reference {

/// The smallest distance of a relu's src from 0, or of a window's largest cell from its second, in a run's values.
/// Equal cells are no kink here: they are the zeros that relu and dropout leave, and rounding keeps them equal.
inline double nearest_kink(const Graph& graph, const Result& result) {
  double nearest = std::numeric_limits<double>::infinity();
  for (const Node& node : graph.nodes) {
    if (node.op != &relu_op && node.op != &max_pool_op) continue;
    const Array& src = result[input(graph, node, 0)];
    const Array& dst = result[Value{node.dst}];
    for_each_element(dst, [&](int image, int c, int y, int x) {
      if (node.op == &relu_op) {
        const double distance = std::abs(src.at(image, c, y, x));
        if (distance > 0) nearest = std::min(nearest, distance);
        return;
      }
      for (const auto& [src_y, src_x] : window_cells(node.options, src, y, x)) {
        const double gap = dst.at(image, c, y, x) - src.at(image, c, src_y, src_x);
        if (gap > 0) nearest = std::min(nearest, gap);
      }
    });
  }
  return nearest;
}

}  // namespace posemachine::reference
