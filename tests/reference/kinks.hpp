// How far a run is from a kink of relu or max_pool: nearer than rounding, an engine may rightly take the other side.
#pragma once

#include "ops.hpp"
#include "oracle.hpp"

#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/op_info.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace posemachine::reference {

/// The smallest distance of an activation's src from one of its kinks, or of a window's largest cell from its second,
/// in a run's values. Equal cells are no kink here: they are the zeros that relu and dropout leave, and rounding keeps
/// them equal.
inline double nearest_kink(const Graph& graph, const Result& result) {
  double nearest = std::numeric_limits<double>::infinity();
  const auto meet = [&](double distance) {
    if (distance > 0) nearest = std::min(nearest, distance);
  };
  for (const Node& node : graph.nodes) {
    const ReferenceOp* reference = find_reference_op(*node.op);
    const std::span<const double> kinks = reference != nullptr ? reference->kinks : std::span<const double>{};
    if (kinks.empty() && node.op->kind() != OpKind::max_pooling) continue;
    const Array& src = result[input(graph, node, 0)];
    const Array& dst = result[Value{node.dst}];
    for_each_element(dst, [&](int image, int c, int y, int x) {
      for (const double kink : kinks) meet(std::abs(src.at(image, c, y, x) - kink));
      if (!kinks.empty()) return;
      for (const auto& [src_y, src_x] : window_cells(node.options, src, y, x)) {
        meet(dst.at(image, c, y, x) - src.at(image, c, src_y, src_x));
      }
    });
  }
  return nearest;
}

}  // namespace posemachine::reference
