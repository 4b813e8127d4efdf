// The engine's softmax over channels: oneDNN's, forward and backward.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/engine/primitive_kernel.hpp>
#include <posemachine/graph/ops/softmax.hpp>

#include <array>
#include <memory>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

inline std::unique_ptr<Kernel> make_softmax(const BuildContext& context) {
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

inline std::unique_ptr<Kernel> make_softmax_backward(const BuildContext& context) {
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

inline constexpr std::array softmax_engine{
    EngineOp{&softmax_op, detail::make_softmax},
    EngineOp{&softmax_backward_op, detail::make_softmax_backward},
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
