// The definitions of engine/ops/softmax.hpp.
#pragma once

#include <posemachine/engine/ops/softmax.hpp>

#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/primitive_kernel.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_softmax(const BuildContext& context) {
  const dnnl::memory::desc data = context.desc(context.dst());
  const auto desc = make_softmax_desc(context.engine(), primitive_attributes(), data);
  if (is_empty(desc)) fail_no_implementation(context);
  auto kernel = std::make_unique<PrimitiveKernel>();
  kernel->set<dnnl::softmax_forward>(desc);
  kernel->add_src(DNNL_ARG_SRC, context.schedule->src(*context.step, 0), context.desc(context.src(0)), data);
  kernel->add_dst(DNNL_ARG_DST, context.step->dst, data, data);
  kernel->finish();
  return kernel;
}

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_softmax_backward(const BuildContext& context) {
  const dnnl::memory::desc data = context.desc(context.dst());
  const auto hint = make_softmax_desc(context.engine(), primitive_attributes(), data);
  if (is_empty(hint)) fail_no_implementation(context);
  const auto desc = make_softmax_backward_desc(context.engine(), primitive_attributes(), hint, data);
  if (is_empty(desc)) fail_no_implementation(context);
  auto kernel = std::make_unique<PrimitiveKernel>();
  kernel->set<dnnl::softmax_backward>(desc);
  kernel->add_src(DNNL_ARG_DST, context.schedule->src(*context.step, 0), context.desc(context.src(0)), data);
  kernel->add_src(DNNL_ARG_DIFF_DST, context.schedule->src(*context.step, 1), context.desc(context.src(1)), data);
  kernel->add_dst(DNNL_ARG_DIFF_SRC, context.step->dst, data, data);
  kernel->finish();
  return kernel;
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
