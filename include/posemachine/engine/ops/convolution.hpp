// The engine's convolution: forward, gradient of src, gradients of weights and bias.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/engine/primitive_kernel.hpp>
#include <posemachine/graph/ops/convolution.hpp>

#include <array>
#include <memory>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

struct ConvolutionShape {
  dnnl::memory::desc weights;
  dnnl::memory::desc bias;
  bool has_bias = false;
  dnnl::memory::dims strides;
  dnnl::memory::dims dilates;  // oneDNN counts dilation from 0, we count from 1
  dnnl::memory::dims padding_begin;
  dnnl::memory::dims padding_end;
};

// The layouts to try, in order: what the values have, then any: oneDNN then says what it wants and the kernel reorders.
struct LayoutChoice {
  dnnl::memory::desc src;
  dnnl::memory::desc dst;
};
std::array<LayoutChoice, 4> layout_choices(const BuildContext& context, const schedule::ScheduledValue& src,
                                           const schedule::ScheduledValue& dst);

// The first descriptor that is not a reference loop; failing that, the first at all.
template <class Make>
auto first_fast(const BuildContext& context, const std::array<LayoutChoice, 4>& choices, const Make& make) {
  decltype(make(choices.front())) slow;
  for (const LayoutChoice& choice : choices) {
    auto desc = make(choice);
    if (is_empty(desc)) continue;
    if (!is_reference(desc.impl_info_str())) return desc;
    if (is_empty(slow)) slow = desc;
  }
  if (is_empty(slow)) fail_no_implementation(context);
  return slow;
}

// What a step does to its result, as oneDNN takes it.
dnnl::post_ops post_ops_of(const BuildContext& context);

// oneDNN's convolution and deconvolution have the same arguments: Kind says which primitives, and what shape a node
// has.
struct ConvolutionKind {
  using Forward = dnnl::convolution_forward;
  using BackwardData = dnnl::convolution_backward_data;
  using BackwardWeights = dnnl::convolution_backward_weights;
  static constexpr auto direct = dnnl::algorithm::convolution_direct;
  static ConvolutionShape shape(const BuildContext& context, const schedule::ScheduledValue& src);
};

template <class Kind>
typename Kind::Forward::primitive_desc weighted_forward_desc(const BuildContext& context, const ConvolutionShape& shape,
                                                             const LayoutChoice& choice, bool training,
                                                             dnnl::algorithm algorithm = Kind::direct) {
  dnnl::primitive_attr attributes = primitive_attributes();
  if (!context.step->post_ops.empty()) attributes.set_post_ops(post_ops_of(context));
  const auto kind = training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
  if (shape.has_bias) {
    return make_desc<typename Kind::Forward>(context.engine(), attributes, kind, algorithm, choice.src, shape.weights,
                                             shape.bias, choice.dst, shape.strides, shape.dilates, shape.padding_begin,
                                             shape.padding_end);
  }
  return make_desc<typename Kind::Forward>(context.engine(), attributes, kind, algorithm, choice.src, shape.weights,
                                           choice.dst, shape.strides, shape.dilates, shape.padding_begin,
                                           shape.padding_end);
}

template <class Kind>
std::unique_ptr<Kernel> make_weighted(const BuildContext& context) {
  const ConvolutionShape shape = Kind::shape(context, context.src(0));
  auto choices = layout_choices(context, context.src(0), context.dst());
  if (context.step->summand() >= 0)
    choices[2] = choices[3] = choices[1];  // dst's old values lie in the value's own layout
  typename Kind::Forward::primitive_desc desc;
  if (context.step->algorithm == schedule::Algorithm::winograd) {
    desc = weighted_forward_desc<Kind>(context, shape, choices.front(), context.training(),
                                       dnnl::algorithm::convolution_winograd);
  }
  if (is_empty(desc)) {
    desc = first_fast(context, choices, [&](const LayoutChoice& c) {
      return weighted_forward_desc<Kind>(context, shape, c, context.training());
    });
  }
  auto kernel = std::make_unique<PrimitiveKernel>();
  kernel->set<typename Kind::Forward>(desc);
  kernel->add_src(DNNL_ARG_SRC, context.schedule->src(*context.step, 0), context.desc(context.src(0)), desc.src_desc());
  const int weights = parameter_id(context.graph(), context.node(), 0);
  if (context.step->gates.empty()) {
    kernel->add_weights(DNNL_ARG_WEIGHTS, weights, desc.weights_desc());
  } else {
    kernel->add_gated_weights(DNNL_ARG_WEIGHTS, weights, desc.weights_desc(), context.step->gates);
  }
  if (shape.has_bias) {
    kernel->add_weights(DNNL_ARG_BIAS, parameter_id(context.graph(), context.node(), 1), shape.bias);
  }
  kernel->add_dst(DNNL_ARG_DST, context.step->dst, context.desc(context.dst()), desc.dst_desc());
  kernel->finish();
  return kernel;
}

template <class Kind>
std::unique_ptr<Kernel> make_weighted_backward_data(const BuildContext& context) {
  const schedule::ScheduledValue& diff_src = context.dst();
  const schedule::ScheduledValue& diff_dst = context.src(0);
  const ConvolutionShape shape = Kind::shape(context, diff_src);
  using Backward = typename Kind::BackwardData;
  const auto desc = first_fast(context, layout_choices(context, diff_src, diff_dst), [&](const LayoutChoice& c) {
    const auto hint = weighted_forward_desc<Kind>(context, shape, c, true);
    if (is_empty(hint)) return typename Backward::primitive_desc{};
    return make_backward_desc<Backward>(context.engine(), primitive_attributes(), hint, Kind::direct, c.src,
                                        shape.weights, c.dst, shape.strides, shape.dilates, shape.padding_begin,
                                        shape.padding_end);
  });
  auto kernel = std::make_unique<PrimitiveKernel>();
  kernel->set<Backward>(desc);
  kernel->add_src(DNNL_ARG_DIFF_DST, context.schedule->src(*context.step, 0), context.desc(diff_dst),
                  desc.diff_dst_desc());
  kernel->add_weights(DNNL_ARG_WEIGHTS, parameter_id(context.graph(), context.node(), 0), desc.weights_desc());
  kernel->add_dst(DNNL_ARG_DIFF_SRC, context.step->dst, context.desc(diff_src), desc.diff_src_desc());
  kernel->finish();
  return kernel;
}

template <class Kind>
std::unique_ptr<Kernel> make_weighted_backward_weights(const BuildContext& context) {
  const schedule::ScheduledValue& src = context.src(0);
  const schedule::ScheduledValue& diff_dst = context.src(1);
  const ConvolutionShape shape = Kind::shape(context, src);
  using Backward = typename Kind::BackwardWeights;
  const auto desc = first_fast(context, layout_choices(context, src, diff_dst), [&](const LayoutChoice& c) {
    const auto hint = weighted_forward_desc<Kind>(context, shape, c, true);
    if (is_empty(hint)) return typename Backward::primitive_desc{};
    if (shape.has_bias) {
      return make_backward_desc<Backward>(context.engine(), primitive_attributes(), hint, Kind::direct, c.src,
                                          shape.weights, shape.bias, c.dst, shape.strides, shape.dilates,
                                          shape.padding_begin, shape.padding_end);
    }
    return make_backward_desc<Backward>(context.engine(), primitive_attributes(), hint, Kind::direct, c.src,
                                        shape.weights, c.dst, shape.strides, shape.dilates, shape.padding_begin,
                                        shape.padding_end);
  });
  auto kernel = std::make_unique<PrimitiveKernel>();
  kernel->set<Backward>(desc);
  kernel->add_src(DNNL_ARG_SRC, context.schedule->src(*context.step, 0), context.desc(src), desc.src_desc());
  kernel->add_src(DNNL_ARG_DIFF_DST, context.schedule->src(*context.step, 1), context.desc(diff_dst),
                  desc.diff_dst_desc());
  kernel->add_gradient(*context.gradients, DNNL_ARG_DIFF_WEIGHTS, parameter_id(context.graph(), context.node(), 0),
                       desc.diff_weights_desc());
  if (shape.has_bias) {
    kernel->add_gradient(*context.gradients, DNNL_ARG_DIFF_BIAS, parameter_id(context.graph(), context.node(), 1),
                         shape.bias);
  }
  kernel->finish();
  return kernel;
}

}  // namespace detail

inline constexpr std::array convolution_engine{
    EngineOp{&convolution_op, detail::make_weighted<detail::ConvolutionKind>},
    EngineOp{&convolution_backward_data_op, detail::make_weighted_backward_data<detail::ConvolutionKind>},
    EngineOp{&convolution_backward_weights_op, detail::make_weighted_backward_weights<detail::ConvolutionKind>},
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/ops/convolution.ipp>
#endif
