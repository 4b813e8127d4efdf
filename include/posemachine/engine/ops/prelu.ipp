// The definitions of engine/ops/prelu.hpp.
#pragma once

#include <posemachine/engine/ops/prelu.hpp>

#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/primitive_kernel.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

// One slope a channel, for oneDNN to broadcast: in the layout of the map, or it runs a reference loop.
POSEMACHINE_INLINE dnnl::memory::desc slopes_desc(const BuildContext& context) {
  schedule::ScheduledValue slopes = context.dst();
  slopes.n = slopes.h = slopes.w = 1;
  return context.desc(slopes);
}

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_prelu(const BuildContext& context) {
  const dnnl::memory::desc data = context.desc(context.dst());
  const dnnl::memory::desc slopes = slopes_desc(context);
  const auto desc =
      make_prelu_desc(context.engine(), primitive_attributes(), dnnl::prop_kind::forward_training, data, slopes);
  if (is_empty(desc)) fail_no_implementation(context);
  auto kernel = std::make_unique<PrimitiveKernel>();
  kernel->set<dnnl::prelu_forward>(desc);
  kernel->add_src(DNNL_ARG_SRC, context.schedule->src(*context.step, 0), context.desc(context.src(0)), data);
  kernel->add_weights(DNNL_ARG_WEIGHTS, parameter_id(context.graph(), context.node(), 0), slopes);
  kernel->add_dst(DNNL_ARG_DST, context.step->dst, data, data);
  kernel->finish();
  return kernel;
}

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_prelu_backward(const BuildContext& context) {
  const dnnl::memory::desc data = context.desc(context.dst());
  const dnnl::memory::desc slopes = slopes_desc(context);
  const auto hint =
      make_prelu_desc(context.engine(), primitive_attributes(), dnnl::prop_kind::forward_training, data, slopes);
  if (is_empty(hint)) fail_no_implementation(context);
  const auto desc = make_prelu_backward_desc(context.engine(), primitive_attributes(), hint, data, slopes);
  if (is_empty(desc)) fail_no_implementation(context);
  const int parameter = parameter_id(context.graph(), context.node(), 0);
  auto kernel = std::make_unique<PrimitiveKernel>();
  kernel->set<dnnl::prelu_backward>(desc);
  kernel->add_src(DNNL_ARG_SRC, context.schedule->src(*context.step, 0), context.desc(context.src(0)), data);
  kernel->add_src(DNNL_ARG_DIFF_DST, context.schedule->src(*context.step, 1), context.desc(context.src(1)), data);
  kernel->add_weights(DNNL_ARG_WEIGHTS, parameter, slopes);
  kernel->add_dst(DNNL_ARG_DIFF_SRC, context.step->dst, data, data);
  kernel->add_gradient(*context.gradients, DNNL_ARG_DIFF_WEIGHTS, parameter, slopes);
  kernel->finish();
  return kernel;
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
