// Every operation the oracle computes, in one list.
#pragma once

#include "call.hpp"
#include "ops/activation.hpp"
#include "ops/add.hpp"
#include "ops/batch_norm.hpp"
#include "ops/channel_scale.hpp"
#include "ops/concat.hpp"
#include "ops/convolution.hpp"
#include "ops/dropout.hpp"
#include "ops/pooling.hpp"
#include "ops/prelu.hpp"
#include "ops/resize.hpp"
#include "ops/softmax.hpp"
#include "ops/spatial_softmax.hpp"
#include "ops/transposed_convolution.hpp"

#include <span>

namespace posemachine::reference {

/// How to compute an operation; null for one that the oracle does not know. Inputs are fed by run() itself.
inline const ReferenceOp* find_reference_op(const OpInfo& op) {
  const std::span<const ReferenceOp> groups[] = {
      convolution_reference,     transposed_convolution_reference,
      pooling_reference,         activation_reference,
      prelu_reference,           softmax_reference,
      concat_reference,          add_reference,
      channel_scale_reference,   resize_reference,
      batch_norm_reference,      dropout_reference,
      spatial_softmax_reference,
  };
  for (const std::span<const ReferenceOp> group : groups) {
    for (const ReferenceOp& each : group) {
      if (each.op == &op) return &each;
    }
  }
  return nullptr;
}

}  // namespace posemachine::reference
