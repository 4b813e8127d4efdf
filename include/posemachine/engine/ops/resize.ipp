// The definitions of engine/ops/resize.hpp.
#pragma once

#include <posemachine/engine/ops/resize.hpp>

#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/primitive_kernel.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

POSEMACHINE_INLINE dnnl::algorithm resize_algorithm(const Node& node) {
  const bool bilinear = node.op == &resize_bilinear_op || node.op == &resize_bilinear_backward_op;
  return bilinear ? dnnl::algorithm::resampling_linear : dnnl::algorithm::resampling_nearest;
}

POSEMACHINE_INLINE dnnl::resampling_forward::primitive_desc resize_desc(const BuildContext& context,
                                                                        const schedule::ScheduledValue& src,
                                                                        const schedule::ScheduledValue& dst) {
  const auto desc =
      make_desc<dnnl::resampling_forward>(context.engine(), primitive_attributes(), dnnl::prop_kind::forward_training,
                                          resize_algorithm(context.node()), context.desc(src), context.desc(dst));
  if (is_empty(desc)) fail_no_implementation(context);
  return desc;
}

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_resize(const BuildContext& context) {
  const auto desc = resize_desc(context, context.src(0), context.dst());
  auto kernel = std::make_unique<PrimitiveKernel>();
  kernel->set<dnnl::resampling_forward>(desc);
  kernel->add_src(DNNL_ARG_SRC, context.schedule->src(*context.step, 0), context.desc(context.src(0)), desc.src_desc());
  kernel->add_dst(DNNL_ARG_DST, context.step->dst, context.desc(context.dst()), desc.dst_desc());
  kernel->finish();
  return kernel;
}

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_resize_backward(const BuildContext& context) {
  const schedule::ScheduledValue& diff_src = context.dst();
  const schedule::ScheduledValue& diff_dst = context.src(0);
  const auto hint = resize_desc(context, diff_src, diff_dst);
  const auto desc = make_backward_desc<dnnl::resampling_backward>(context.engine(), primitive_attributes(), hint,
                                                                  resize_algorithm(context.node()),
                                                                  context.desc(diff_src), context.desc(diff_dst));
  if (is_empty(desc)) fail_no_implementation(context);
  auto kernel = std::make_unique<PrimitiveKernel>();
  kernel->set<dnnl::resampling_backward>(desc);
  kernel->add_src(DNNL_ARG_DIFF_DST, context.schedule->src(*context.step, 0), context.desc(diff_dst),
                  desc.diff_dst_desc());
  kernel->add_dst(DNNL_ARG_DIFF_SRC, context.step->dst, context.desc(diff_src), desc.diff_src_desc());
  kernel->finish();
  return kernel;
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
