// The engine's transposed convolution: oneDNN's deconvolution, its gradient of src, gradients of weights and bias.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/engine/ops/convolution.hpp>
#include <posemachine/graph/ops/transposed_convolution.hpp>

#include <array>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

// As oneDNN wants it, output_padding is padding at the end that is negative: cells that the window still reaches.
inline ConvolutionShape transposed_shape(const BuildContext& context, const ScheduledValue& src) {
  using dnnl::memory;
  const auto options = unpack<TransposedConvolutionOptions>(context.node().options);
  ConvolutionShape shape;
  shape.weights = memory::desc({options.out, src.c, options.kernel, options.kernel}, memory::data_type::f32,
                               memory::format_tag::any);
  shape.has_bias = options.bias != 0;
  shape.bias = memory::desc({options.out}, memory::data_type::f32, memory::format_tag::x);
  shape.strides = {options.stride, options.stride};
  shape.dilates = {0, 0};
  const int end = options.padding - options.output_padding;
  shape.padding_begin = {options.padding, options.padding};
  shape.padding_end = {end, end};
  return shape;
}

struct TransposedConvolutionKind {
  using Forward = dnnl::deconvolution_forward;
  using BackwardData = dnnl::deconvolution_backward_data;
  using BackwardWeights = dnnl::deconvolution_backward_weights;
  static constexpr auto direct = dnnl::algorithm::deconvolution_direct;
  static ConvolutionShape shape(const BuildContext& context, const ScheduledValue& src) {
    return transposed_shape(context, src);
  }
};

}  // namespace detail

inline constexpr std::array transposed_convolution_engine{
    EngineOp{&transposed_convolution_op, detail::make_weighted<detail::TransposedConvolutionKind>},
    EngineOp{&transposed_convolution_backward_data_op,
             detail::make_weighted_backward_data<detail::TransposedConvolutionKind>},
    EngineOp{&transposed_convolution_backward_weights_op,
             detail::make_weighted_backward_weights<detail::TransposedConvolutionKind>},
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
