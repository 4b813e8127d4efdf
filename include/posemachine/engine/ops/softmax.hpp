// The engine's softmax over channels: oneDNN's, forward and backward.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/runner.hpp>
#include <posemachine/graph/ops/softmax.hpp>

#include <array>
#include <memory>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

inline std::unique_ptr<Runner> make_softmax(const BuildContext& context) {
  const dnnl::memory::desc data = context.desc(context.dst());
  const auto desc = make_softmax_desc(context.engine(), plan_attributes(), data);
  if (is_empty(desc)) fail_no_implementation(context);
  auto runner = std::make_unique<PrimitiveRunner>();
  runner->set<dnnl::softmax_forward>(desc);
  runner->add_src(DNNL_ARG_SRC, context.schedule->src(*context.step, 0), context.desc(context.src(0)), data);
  runner->add_dst(DNNL_ARG_DST, context.step->dst, data, data);
  runner->finish();
  return runner;
}

inline std::unique_ptr<Runner> make_softmax_backward(const BuildContext& context) {
  const dnnl::memory::desc data = context.desc(context.dst());
  const auto hint = make_softmax_desc(context.engine(), plan_attributes(), data);
  if (is_empty(hint)) fail_no_implementation(context);
  const auto desc = make_softmax_backward_desc(context.engine(), plan_attributes(), hint, data);
  if (is_empty(desc)) fail_no_implementation(context);
  auto runner = std::make_unique<PrimitiveRunner>();
  runner->set<dnnl::softmax_backward>(desc);
  runner->add_src(DNNL_ARG_DST, context.schedule->src(*context.step, 0), context.desc(context.src(0)), data);
  runner->add_src(DNNL_ARG_DIFF_DST, context.schedule->src(*context.step, 1), context.desc(context.src(1)), data);
  runner->add_dst(DNNL_ARG_DIFF_SRC, context.step->dst, data, data);
  runner->finish();
  return runner;
}

}  // namespace detail

inline constexpr std::array softmax_engine{
    EngineOp{&softmax_op, detail::make_softmax},
    EngineOp{&softmax_backward_op, detail::make_softmax_backward},
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
