// The engine's transposed convolution: oneDNN's deconvolution, its gradient of src, gradients of weights and bias.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/ops/convolution.hpp>
#include <posemachine/engine/runner.hpp>
#include <posemachine/graph/ops/transposed_convolution.hpp>

#include <array>
#include <memory>

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

inline dnnl::deconvolution_forward::primitive_desc deconvolution_forward_desc(const BuildContext& context,
                                                                              const ConvolutionShape& shape,
                                                                              const LayoutChoice& choice,
                                                                              bool training) {
  const auto kind = training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
  const auto direct = dnnl::algorithm::deconvolution_direct;
  if (shape.has_bias) {
    return make_desc<dnnl::deconvolution_forward>(context.engine(), plan_attributes(), kind, direct, choice.src,
                                                  shape.weights, shape.bias, choice.dst, shape.strides, shape.dilates,
                                                  shape.padding_begin, shape.padding_end);
  }
  return make_desc<dnnl::deconvolution_forward>(context.engine(), plan_attributes(), kind, direct, choice.src,
                                                shape.weights, choice.dst, shape.strides, shape.dilates,
                                                shape.padding_begin, shape.padding_end);
}

inline std::unique_ptr<Runner> make_transposed_convolution(const BuildContext& context) {
  const ConvolutionShape shape = transposed_shape(context, context.src(0));
  const auto desc =
      first_fast(context, layout_choices(context, context.src(0), context.dst()), [&](const LayoutChoice& c) {
        return deconvolution_forward_desc(context, shape, c, context.training());
      });
  auto runner = std::make_unique<PrimitiveRunner>();
  runner->set<dnnl::deconvolution_forward>(desc);
  runner->add_src(DNNL_ARG_SRC, context.schedule->src(*context.step, 0), context.desc(context.src(0)), desc.src_desc());
  runner->add_weights(DNNL_ARG_WEIGHTS, parameter_id(context.graph(), context.node(), 0), desc.weights_desc());
  if (shape.has_bias) {
    runner->add_weights(DNNL_ARG_BIAS, parameter_id(context.graph(), context.node(), 1), shape.bias);
  }
  runner->add_dst(DNNL_ARG_DST, context.step->dst, context.desc(context.dst()), desc.dst_desc());
  runner->finish();
  return runner;
}

inline std::unique_ptr<Runner> make_transposed_convolution_backward_data(const BuildContext& context) {
  const ScheduledValue& diff_src = context.dst();
  const ScheduledValue& diff_dst = context.src(0);
  const ConvolutionShape shape = transposed_shape(context, diff_src);
  const auto desc = first_fast(context, layout_choices(context, diff_src, diff_dst), [&](const LayoutChoice& c) {
    const auto hint = deconvolution_forward_desc(context, shape, c, true);
    if (is_empty(hint)) return dnnl::deconvolution_backward_data::primitive_desc{};
    return make_backward_desc<dnnl::deconvolution_backward_data>(
        context.engine(), plan_attributes(), hint, dnnl::algorithm::deconvolution_direct, c.src, shape.weights, c.dst,
        shape.strides, shape.dilates, shape.padding_begin, shape.padding_end);
  });
  auto runner = std::make_unique<PrimitiveRunner>();
  runner->set<dnnl::deconvolution_backward_data>(desc);
  runner->add_src(DNNL_ARG_DIFF_DST, context.schedule->src(*context.step, 0), context.desc(diff_dst),
                  desc.diff_dst_desc());
  runner->add_weights(DNNL_ARG_WEIGHTS, parameter_id(context.graph(), context.node(), 0), desc.weights_desc());
  runner->add_dst(DNNL_ARG_DIFF_SRC, context.step->dst, context.desc(diff_src), desc.diff_src_desc());
  runner->finish();
  return runner;
}

inline std::unique_ptr<Runner> make_transposed_convolution_backward_weights(const BuildContext& context) {
  const ScheduledValue& src = context.src(0);
  const ScheduledValue& diff_dst = context.src(1);
  const ConvolutionShape shape = transposed_shape(context, src);
  const auto desc = first_fast(context, layout_choices(context, src, diff_dst), [&](const LayoutChoice& c) {
    using Backward = dnnl::deconvolution_backward_weights;
    const auto hint = deconvolution_forward_desc(context, shape, c, true);
    if (is_empty(hint)) return Backward::primitive_desc{};
    const auto direct = dnnl::algorithm::deconvolution_direct;
    if (shape.has_bias) {
      return make_backward_desc<Backward>(context.engine(), plan_attributes(), hint, direct, c.src, shape.weights,
                                          shape.bias, c.dst, shape.strides, shape.dilates, shape.padding_begin,
                                          shape.padding_end);
    }
    return make_backward_desc<Backward>(context.engine(), plan_attributes(), hint, direct, c.src, shape.weights, c.dst,
                                        shape.strides, shape.dilates, shape.padding_begin, shape.padding_end);
  });
  auto runner = std::make_unique<PrimitiveRunner>();
  runner->set<dnnl::deconvolution_backward_weights>(desc);
  runner->add_src(DNNL_ARG_SRC, context.schedule->src(*context.step, 0), context.desc(src), desc.src_desc());
  runner->add_src(DNNL_ARG_DIFF_DST, context.schedule->src(*context.step, 1), context.desc(diff_dst),
                  desc.diff_dst_desc());
  runner->add_gradient(*context.gradients, DNNL_ARG_DIFF_WEIGHTS, parameter_id(context.graph(), context.node(), 0),
                       desc.diff_weights_desc());
  if (shape.has_bias) {
    runner->add_gradient(*context.gradients, DNNL_ARG_DIFF_BIAS, parameter_id(context.graph(), context.node(), 1),
                         shape.bias);
  }
  runner->finish();
  return runner;
}

}  // namespace detail

inline constexpr std::array transposed_convolution_engine{
    EngineOp{&transposed_convolution_op, detail::make_transposed_convolution},
    EngineOp{&transposed_convolution_backward_data_op, detail::make_transposed_convolution_backward_data},
    EngineOp{&transposed_convolution_backward_weights_op, detail::make_transposed_convolution_backward_weights},
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
