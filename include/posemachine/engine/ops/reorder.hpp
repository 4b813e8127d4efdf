// The engine's reorder: a map in another layout.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/runner.hpp>

#include <array>
#include <memory>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

inline std::unique_ptr<Runner> make_reorder(const BuildContext& context) {
  const dnnl::memory::desc from = context.desc(context.src(0));
  const dnnl::memory::desc to = context.desc(context.dst());
  const dnnl::reorder::primitive_desc desc(context.engine(), from, context.engine(), to, plan_attributes());
  auto runner = std::make_unique<PrimitiveRunner>();
  runner->set<dnnl::reorder>(desc);
  runner->add_src(DNNL_ARG_FROM, context.schedule->src(*context.step, 0), from, from);
  runner->add_dst(DNNL_ARG_TO, context.step->dst, to, to);
  runner->finish();
  runner->moved_bytes = static_cast<std::int64_t>(from.get_size() + to.get_size());
  return runner;
}

}  // namespace detail

inline constexpr std::array reorder_engine{EngineOp{&reorder_op, detail::make_reorder}};

}  // namespace posemachine::inline POSEMACHINE_BUILD
