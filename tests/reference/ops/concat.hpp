// The oracle's concat, and the slice that is its gradient.
#pragma once

#include "../call.hpp"

#include <posemachine/graph/ops/concat.hpp>

#include <array>

namespace posemachine::reference {

inline void concat(const Call& call) {
  int first = 0;
  for (const Array* src : call.inputs) {
    for_each_element(
        *src, [&](int image, int c, int y, int x) { call.dst->at(image, first + c, y, x) = src->at(image, c, y, x); });
    first += src->c;
  }
}

inline void slice(const Call& call) {
  const int first = unpack<SliceOptions>(call.node().options).first;
  for_each_element(*call.dst, [&](int image, int c, int y, int x) {
    call.dst->at(image, c, y, x) = call.src(0).at(image, first + c, y, x);
  });
}

inline constexpr std::array concat_reference{ReferenceOp{&concat_op, concat}, ReferenceOp{&slice_op, slice}};

}  // namespace posemachine::reference
