// How the engine runs every operation, in one list.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/engine/ops/activation.hpp>
#include <posemachine/engine/ops/add.hpp>
#include <posemachine/engine/ops/batch_norm.hpp>
#include <posemachine/engine/ops/channel_scale.hpp>
#include <posemachine/engine/ops/concat.hpp>
#include <posemachine/engine/ops/convolution.hpp>
#include <posemachine/engine/ops/custom.hpp>
#include <posemachine/engine/ops/dropout.hpp>
#include <posemachine/engine/ops/input.hpp>
#include <posemachine/engine/ops/pooling.hpp>
#include <posemachine/engine/ops/prelu.hpp>
#include <posemachine/engine/ops/reorder.hpp>
#include <posemachine/engine/ops/resize.hpp>
#include <posemachine/engine/ops/softmax.hpp>
#include <posemachine/engine/ops/spatial_softmax.hpp>
#include <posemachine/engine/ops/transposed_convolution.hpp>

#include <span>

namespace posemachine::inline POSEMACHINE_BUILD {

/// The engine's entry for an operation, or null.
inline const EngineOp* find_engine_op(const OpInfo* op) {
  if (op->kernels != nullptr) return &custom_engine;
  for (const std::span<const EngineOp> group :
       {std::span<const EngineOp>(input_engine), std::span<const EngineOp>(convolution_engine),
        std::span<const EngineOp>(pooling_engine), std::span<const EngineOp>(activation_engine),
        std::span<const EngineOp>(add_engine), std::span<const EngineOp>(concat_engine),
        std::span<const EngineOp>(channel_scale_engine), std::span<const EngineOp>(batch_norm_engine),
        std::span<const EngineOp>(dropout_engine), std::span<const EngineOp>(prelu_engine),
        std::span<const EngineOp>(resize_engine), std::span<const EngineOp>(softmax_engine),
        std::span<const EngineOp>(transposed_convolution_engine), std::span<const EngineOp>(reorder_engine),
        std::span<const EngineOp>(spatial_softmax_engine), std::span<const EngineOp>(custom_backward_engine)}) {
    for (const EngineOp& entry : group) {
      if (entry.op == op) return &entry;
    }
  }
  return nullptr;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
