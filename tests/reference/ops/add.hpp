// The oracle's add; differentiate() sums gradients with it too.
#pragma once

#include "../call.hpp"

#include <posemachine/graph/ops/add.hpp>

#include <array>
#include <cstddef>

namespace posemachine::reference {

inline void add(const Call& call) {
  for (const Array* src : call.inputs) {
    for (std::size_t i = 0; i < call.dst->values.size(); ++i) call.dst->values[i] += src->values[i];
  }
}

inline constexpr std::array add_reference{ReferenceOp{&add_op, add}};

}  // namespace posemachine::reference
