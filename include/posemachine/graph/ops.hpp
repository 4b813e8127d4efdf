// Every built-in operation, in one list: what files name, the engine implements and the oracle computes.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/custom_op.hpp>
#include <posemachine/graph/op_info.hpp>
#include <posemachine/graph/ops/activation.hpp>
#include <posemachine/graph/ops/add.hpp>
#include <posemachine/graph/ops/batch_norm.hpp>
#include <posemachine/graph/ops/channel_scale.hpp>
#include <posemachine/graph/ops/concat.hpp>
#include <posemachine/graph/ops/convolution.hpp>
#include <posemachine/graph/ops/dropout.hpp>
#include <posemachine/graph/ops/input.hpp>
#include <posemachine/graph/ops/pooling.hpp>
#include <posemachine/graph/ops/prelu.hpp>
#include <posemachine/graph/ops/resize.hpp>
#include <posemachine/graph/ops/softmax.hpp>
#include <posemachine/graph/ops/spatial_softmax.hpp>
#include <posemachine/graph/ops/transposed_convolution.hpp>

#include <array>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The operations a network is made of: those a model file may hold.
inline constexpr std::array forward_ops{
    &input_op,
    &convolution_op,
    &transposed_convolution_op,
    &max_pool_op,
    &average_pool_op,
    &relu_op,
    &leaky_relu_op,
    &global_average_pool_op,
    &sigmoid_op,
    &silu_op,
    &hard_swish_op,
    &prelu_op,
    &softmax_op,
    &concat_op,
    &add_op,
    &channel_scale_op,
    &resize_nearest_op,
    &resize_bilinear_op,
    &batch_norm_op,
    &dropout_op,
    &spatial_softmax_op,
};

/// The operations that differentiate() adds besides them.
inline constexpr std::array backward_ops{
    &convolution_backward_data_op,
    &convolution_backward_weights_op,
    &transposed_convolution_backward_data_op,
    &transposed_convolution_backward_weights_op,
    &max_pool_backward_op,
    &average_pool_backward_op,
    &global_average_pool_backward_op,
    &relu_backward_op,
    &leaky_relu_backward_op,
    &sigmoid_backward_op,
    &silu_backward_op,
    &hard_swish_backward_op,
    &prelu_backward_op,
    &softmax_backward_op,
    &spatial_softmax_backward_op,
    &slice_op,
    &channel_scale_backward_gate_op,
    &resize_nearest_backward_op,
    &resize_bilinear_backward_op,
    &batch_norm_backward_op,
    &dropout_backward_op,
    &custom_backward_op,
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
