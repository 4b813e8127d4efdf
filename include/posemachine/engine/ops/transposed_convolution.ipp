// The definitions of engine/ops/transposed_convolution.hpp.
#pragma once

#include <posemachine/engine/ops/transposed_convolution.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

// As oneDNN wants it, output_padding is padding at the end that is negative: cells that the window still reaches.
POSEMACHINE_INLINE ConvolutionShape transposed_shape(const BuildContext& context, const schedule::ScheduledValue& src) {
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

POSEMACHINE_INLINE ConvolutionShape TransposedConvolutionKind::shape(const BuildContext& context,
                                                                     const schedule::ScheduledValue& src) {
  return transposed_shape(context, src);
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
