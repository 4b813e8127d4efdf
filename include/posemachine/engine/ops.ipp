// The definitions of engine/ops.hpp.
#pragma once

#include <posemachine/engine/ops.hpp>

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

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

POSEMACHINE_INLINE const KernelTable& library_kernels() {
  static const KernelTable table = [] {
    KernelTable all;
    all.add(input_engine);
    all.add(convolution_engine);
    all.add(pooling_engine);
    all.add(activation_engine);
    all.add(add_engine);
    all.add(concat_engine);
    all.add(channel_scale_engine);
    all.add(batch_norm_engine);
    all.add(dropout_engine);
    all.add(prelu_engine);
    all.add(resize_engine);
    all.add(softmax_engine);
    all.add(transposed_convolution_engine);
    all.add(reorder_engine);
    all.add(spatial_softmax_engine);
    all.add(custom_backward_engine);
    return all;
  }();
  return table;
}

POSEMACHINE_INLINE const EngineOp* find_kernel(const Device& device, const OpInfo& op) {
  const EngineOp* const found = (device.kernels() != nullptr ? *device.kernels() : library_kernels()).find(op);
  return found == nullptr && op.kernels != nullptr ? &custom_engine : found;
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
