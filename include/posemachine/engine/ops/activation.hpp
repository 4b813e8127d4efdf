// The engine's activations: oneDNN's eltwise, forward and backward.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/activation.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/runner.hpp>
#include <posemachine/graph/ops/activation.hpp>

#include <array>
#include <memory>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

// Whether a backward activation reads what its forward one wrote, or what it read.
inline bool reads_dst(const OpInfo* op) { return op != &silu_backward_op && op != &hard_swish_backward_op; }

inline std::unique_ptr<Runner> make_activation(const BuildContext& context) {
  const dnnl::memory::desc data = context.desc(context.dst());
  const Activation activation = activation_of(context.node());
  const auto desc = make_eltwise_desc(context.engine(), plan_attributes(), dnnl::prop_kind::forward_inference,
                                      activation.algorithm, data, activation.alpha, activation.beta);
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
  const Activation activation = activation_of(context.node());
  const auto hint = make_eltwise_desc(context.engine(), plan_attributes(), dnnl::prop_kind::forward_training,
                                      activation.algorithm, data, activation.alpha, activation.beta);
  if (is_empty(hint)) fail_no_implementation(context);
  const auto desc = make_eltwise_backward_desc(context.engine(), plan_attributes(), hint, activation.algorithm, data,
                                               activation.alpha, activation.beta);
  if (is_empty(desc)) fail_no_implementation(context);
  auto runner = std::make_unique<PrimitiveRunner>();
  runner->set<dnnl::eltwise_backward>(desc);
  const int kept = reads_dst(context.node().op) ? DNNL_ARG_DST : DNNL_ARG_SRC;
  runner->add_src(kept, context.schedule->src(*context.step, 0), context.desc(context.src(0)), data);
  runner->add_src(DNNL_ARG_DIFF_DST, context.schedule->src(*context.step, 1), context.desc(context.src(1)), data);
  runner->add_dst(DNNL_ARG_DIFF_SRC, context.step->dst, data, data);
  runner->finish();
  return runner;
}

}  // namespace detail

inline constexpr std::array activation_engine{
    EngineOp{&relu_op, detail::make_activation},
    EngineOp{&sigmoid_op, detail::make_activation},
    EngineOp{&leaky_relu_op, detail::make_activation},
    EngineOp{&silu_op, detail::make_activation},
    EngineOp{&hard_swish_op, detail::make_activation},
    EngineOp{&relu_backward_op, detail::make_activation_backward},
    EngineOp{&sigmoid_backward_op, detail::make_activation_backward},
    EngineOp{&leaky_relu_backward_op, detail::make_activation_backward},
    EngineOp{&silu_backward_op, detail::make_activation_backward},
    EngineOp{&hard_swish_backward_op, detail::make_activation_backward},
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
