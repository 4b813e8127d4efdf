// The engine's relu and sigmoid, and their gradients from dst.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/runner.hpp>
#include <posemachine/graph/ops/activation.hpp>

#include <array>
#include <memory>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

inline dnnl::algorithm activation_algorithm(const Node& node) {
  if (node.op == &relu_op) return dnnl::algorithm::eltwise_relu;
  if (node.op == &sigmoid_op) return dnnl::algorithm::eltwise_logistic;
  if (node.op == &relu_backward_op) return dnnl::algorithm::eltwise_relu_use_dst_for_bwd;
  return dnnl::algorithm::eltwise_logistic_use_dst_for_bwd;
}

inline std::unique_ptr<Runner> make_activation(const BuildContext& context) {
  const dnnl::memory::desc data = context.desc(context.dst());
  const auto desc = make_eltwise_desc(context.engine(), plan_attributes(), dnnl::prop_kind::forward_inference,
                                      activation_algorithm(context.node()), data);
  if (is_empty(desc)) fail_no_implementation(context);
  auto runner = std::make_unique<PrimitiveRunner>();
  runner->set<dnnl::eltwise_forward>(desc);
  runner->add_src(DNNL_ARG_SRC, context.schedule->src(*context.step, 0), context.desc(context.src(0)), data);
  runner->add_dst(DNNL_ARG_DST, context.step->dst, data, data);
  runner->finish();
  return runner;
}

inline std::unique_ptr<Runner> make_activation_backward(const BuildContext& context) {
  const dnnl::memory::desc data = context.desc(context.dst());
  const dnnl::algorithm algorithm = activation_algorithm(context.node());
  const auto hint =
      make_eltwise_desc(context.engine(), plan_attributes(), dnnl::prop_kind::forward_training, algorithm, data);
  if (is_empty(hint)) fail_no_implementation(context);
  const auto desc = make_eltwise_backward_desc(context.engine(), plan_attributes(), hint, algorithm, data);
  if (is_empty(desc)) fail_no_implementation(context);
  auto runner = std::make_unique<PrimitiveRunner>();
  runner->set<dnnl::eltwise_backward>(desc);
  runner->add_src(DNNL_ARG_DST, context.schedule->src(*context.step, 0), context.desc(context.src(0)), data);
  runner->add_src(DNNL_ARG_DIFF_DST, context.schedule->src(*context.step, 1), context.desc(context.src(1)), data);
  runner->add_dst(DNNL_ARG_DIFF_SRC, context.step->dst, data, data);
  runner->finish();
  return runner;
}

}  // namespace detail

inline constexpr std::array activation_engine{
    EngineOp{&relu_op, detail::make_activation},
    EngineOp{&sigmoid_op, detail::make_activation},
    EngineOp{&relu_backward_op, detail::make_activation_backward},
    EngineOp{&sigmoid_backward_op, detail::make_activation_backward},
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
