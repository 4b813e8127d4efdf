// The definitions of engine/ops/activation.hpp.
#pragma once

#include <posemachine/engine/ops/activation.hpp>

#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/primitive_kernel.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_activation(const BuildContext& context) {
  const dnnl::memory::desc data = context.desc(context.dst());
  const Activation activation = activation_of(context.node());
  const auto desc = make_eltwise_desc(context.engine(), primitive_attributes(), dnnl::prop_kind::forward_inference,
                                      activation.algorithm, data, activation.alpha, activation.beta);
  if (is_empty(desc)) fail_no_implementation(context);
  auto kernel = std::make_unique<PrimitiveKernel>();
  kernel->set<dnnl::eltwise_forward>(desc);
  kernel->add_src(DNNL_ARG_SRC, context.schedule->src(*context.step, 0), context.desc(context.src(0)), data);
  kernel->add_dst(DNNL_ARG_DST, context.step->dst, data, data);
  kernel->finish();
  return kernel;
}

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_activation_backward(const BuildContext& context) {
  const dnnl::memory::desc data = context.desc(context.dst());
  const Activation activation = activation_of(context.node());
  const auto hint = make_eltwise_desc(context.engine(), primitive_attributes(), dnnl::prop_kind::forward_training,
                                      activation.algorithm, data, activation.alpha, activation.beta);
  if (is_empty(hint)) fail_no_implementation(context);
  const auto desc = make_eltwise_backward_desc(context.engine(), primitive_attributes(), hint, activation.algorithm,
                                               data, activation.alpha, activation.beta);
  if (is_empty(desc)) fail_no_implementation(context);
  auto kernel = std::make_unique<PrimitiveKernel>();
  kernel->set<dnnl::eltwise_backward>(desc);
  const int kept = activation_row(context.node().op)->backward_reads_dst() ? DNNL_ARG_DST : DNNL_ARG_SRC;
  kernel->add_src(kept, context.schedule->src(*context.step, 0), context.desc(context.src(0)), data);
  kernel->add_src(DNNL_ARG_DIFF_DST, context.schedule->src(*context.step, 1), context.desc(context.src(1)), data);
  kernel->add_dst(DNNL_ARG_DIFF_SRC, context.step->dst, data, data);
  kernel->finish();
  return kernel;
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
