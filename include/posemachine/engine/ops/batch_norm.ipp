// The definitions of engine/ops/batch_norm.hpp.
#pragma once

#include <posemachine/engine/ops/batch_norm.hpp>

#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/primitive_kernel.hpp>

#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

POSEMACHINE_INLINE dnnl::normalization_flags batch_norm_flags(bool running) {
  auto flags = dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift;
  if (running) flags = flags | dnnl::normalization_flags::use_global_stats;
  return flags;
}

POSEMACHINE_INLINE dnnl::memory::desc per_channel(const schedule::ScheduledValue& value) {
  return {{value.c}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::x};
}

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_batch_norm(const BuildContext& context) {
  const dnnl::memory::desc data = context.desc(context.dst());
  const auto options = unpack<BatchNormOptions>(context.node().options);
  const bool training = context.training() && !is_frozen_batch_norm(context.graph(), context.node());
  const auto kind = training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
  const auto desc = make_batch_norm_desc(context.engine(), primitive_attributes(), kind, data,
                                         static_cast<float>(epsilon(options)), batch_norm_flags(!training));
  if (is_empty(desc)) fail_no_implementation(context);
  const dnnl::memory::desc vector = per_channel(context.dst());
  const auto id = [&](BatchNormParameter which) { return parameter_id(context.graph(), context.node(), which); };
  auto kernel = std::make_unique<PrimitiveKernel>();
  kernel->set<dnnl::batch_normalization_forward>(desc);
  kernel->add_src(DNNL_ARG_SRC, context.schedule->src(*context.step, 0), context.desc(context.src(0)), data);
  kernel->add_weights(DNNL_ARG_SCALE, id(batch_norm_scale), vector);
  kernel->add_weights(DNNL_ARG_SHIFT, id(batch_norm_shift), vector);
  if (training && context.node().repeats >= 0) {  // the same statistics, found again
    kernel->add_statistic(DNNL_ARG_MEAN, id(batch_norm_mean), vector);
    kernel->add_statistic(DNNL_ARG_VARIANCE, id(batch_norm_variance), vector);
  } else if (training) {
    const std::string where = describe(context.graph(), context.step->node);
    kernel->add_own_statistic(*context.gradients, DNNL_ARG_MEAN, id(batch_norm_mean), vector, where);
    kernel->add_own_statistic(*context.gradients, DNNL_ARG_VARIANCE, id(batch_norm_variance), vector, where);
  } else {
    kernel->add_weights(DNNL_ARG_MEAN, id(batch_norm_mean), vector);
    kernel->add_weights(DNNL_ARG_VARIANCE, id(batch_norm_variance), vector);
  }
  kernel->add_dst(DNNL_ARG_DST, context.step->dst, data, data);
  kernel->finish();
  return kernel;
}

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_batch_norm_backward(const BuildContext& context) {
  const dnnl::memory::desc data = context.desc(context.dst());
  const auto options = unpack<BatchNormOptions>(context.node().options);
  const bool frozen = is_frozen_batch_norm(context.graph(), context.node());
  const auto flags = batch_norm_flags(frozen);
  const auto eps = static_cast<float>(epsilon(options));
  const auto hint = make_batch_norm_desc(context.engine(), primitive_attributes(), dnnl::prop_kind::forward_training,
                                         data, eps, flags);
  if (is_empty(hint)) fail_no_implementation(context);
  const auto desc = make_batch_norm_backward_desc(context.engine(), primitive_attributes(), hint, data, eps, flags);
  if (is_empty(desc)) fail_no_implementation(context);
  const dnnl::memory::desc vector = per_channel(context.dst());
  const auto id = [&](BatchNormParameter which) { return parameter_id(context.graph(), context.node(), which); };
  auto kernel = std::make_unique<PrimitiveKernel>();
  kernel->set<dnnl::batch_normalization_backward>(desc);
  kernel->add_src(DNNL_ARG_SRC, context.schedule->src(*context.step, 0), context.desc(context.src(0)), data);
  kernel->add_src(DNNL_ARG_DIFF_DST, context.schedule->src(*context.step, 1), context.desc(context.src(1)), data);
  if (frozen) {
    kernel->add_weights(DNNL_ARG_MEAN, id(batch_norm_mean), vector);
    kernel->add_weights(DNNL_ARG_VARIANCE, id(batch_norm_variance), vector);
  } else {
    kernel->add_statistic(DNNL_ARG_MEAN, id(batch_norm_mean), vector);
    kernel->add_statistic(DNNL_ARG_VARIANCE, id(batch_norm_variance), vector);
  }
  kernel->add_weights(DNNL_ARG_SCALE, id(batch_norm_scale), vector);
  // oneDNN 2.6 wants the shift wherever use_shift is set, 3.x refuses it in a backward pass.
  if (!dnnl_is_v3) kernel->add_weights(DNNL_ARG_SHIFT, id(batch_norm_shift), vector);
  kernel->add_dst(DNNL_ARG_DIFF_SRC, context.step->dst, data, data);
  kernel->add_gradient(*context.gradients, DNNL_ARG_DIFF_SCALE, id(batch_norm_scale), vector);
  kernel->add_gradient(*context.gradients, DNNL_ARG_DIFF_SHIFT, id(batch_norm_shift), vector);
  kernel->finish();
  return kernel;
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
