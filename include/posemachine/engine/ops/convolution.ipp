// The definitions of engine/ops/convolution.hpp.
#pragma once

#include <posemachine/engine/ops/convolution.hpp>

#include <posemachine/engine/activation.hpp>

#include <cstddef>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

POSEMACHINE_INLINE ConvolutionShape convolution_shape(const BuildContext& context,
                                                      const schedule::ScheduledValue& src) {
  using dnnl::memory;
  const auto options = unpack<ConvolutionOptions>(context.node().options);
  const Window window = posemachine::detail::convolution_window(context.node().options);
  ConvolutionShape shape;
  memory::dims extents{options.out / options.groups, src.c / options.groups, options.kernel, options.kernel};
  if (options.groups > 1) extents.insert(extents.begin(), options.groups);
  shape.weights = memory::desc(extents, memory::data_type::f32, memory::format_tag::any);
  shape.has_bias = options.bias != 0;
  shape.bias = memory::desc({options.out}, memory::data_type::f32, memory::format_tag::x);
  shape.strides = {options.stride, options.stride};
  shape.dilates = {options.dilation - 1, options.dilation - 1};
  shape.padding_begin = {options.padding, options.padding};
  shape.padding_end = {window.padding_end(src.h), window.padding_end(src.w)};
  return shape;
}

POSEMACHINE_INLINE std::array<LayoutChoice, 4> layout_choices(const BuildContext& context,
                                                              const schedule::ScheduledValue& src,
                                                              const schedule::ScheduledValue& dst) {
  return {LayoutChoice{context.desc(src), context.desc(dst)}, LayoutChoice{context.any(src), context.desc(dst)},
          LayoutChoice{context.desc(src), context.any(dst)}, LayoutChoice{context.any(src), context.any(dst)}};
}

POSEMACHINE_INLINE dnnl::post_ops post_ops_of(const BuildContext& context) {
  dnnl::post_ops ops;
  for (const schedule::PostOp& each : context.step->post_ops) {
    if (each.kind == schedule::PostOp::Kind::sum) ops.append_sum(1.0f);
    if (each.kind == schedule::PostOp::Kind::activation) {
      append_activation(ops, activation_of(context.graph().nodes[static_cast<std::size_t>(each.node)]));
    }
  }
  return ops;
}

POSEMACHINE_INLINE ConvolutionShape ConvolutionKind::shape(const BuildContext& context,
                                                           const schedule::ScheduledValue& src) {
  return convolution_shape(context, src);
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
