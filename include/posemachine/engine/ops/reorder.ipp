// The definitions of engine/ops/reorder.hpp.
#pragma once

#include <posemachine/engine/ops/reorder.hpp>

#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/primitive_kernel.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_reorder(const BuildContext& context) {
  const dnnl::memory::desc from = context.desc(context.src(0));
  const dnnl::memory::desc to = context.desc(context.dst());
  const dnnl::reorder::primitive_desc desc(context.engine(), from, context.engine(), to, primitive_attributes());
  auto kernel = std::make_unique<PrimitiveKernel>();
  kernel->set<dnnl::reorder>(desc);
  kernel->add_src(DNNL_ARG_FROM, context.schedule->src(*context.step, 0), from, from);
  kernel->add_dst(DNNL_ARG_TO, context.step->dst, to, to);
  kernel->finish();
  kernel->moved_bytes = static_cast<std::int64_t>(from.get_size() + to.get_size());
  return kernel;
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
