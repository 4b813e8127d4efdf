// The definitions of engine/ops/add.hpp.
#pragma once

#include <posemachine/engine/ops/add.hpp>

#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/primitive_kernel.hpp>

#include <cstddef>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_add(const BuildContext& context) {
  const int count = context.node().inputs.count;
  // Whole blocks of channels, the zeros behind the last one too: ragged ones fall to a reference loop.
  schedule::ScheduledValue whole = context.dst();
  whole.c = whole.padded_channels();
  const dnnl::memory::desc dst = context.desc(whole);
  const std::vector<float> scales(static_cast<std::size_t>(count), 1.0f);
  const std::vector<dnnl::memory::desc> srcs(static_cast<std::size_t>(count), dst);
  const auto desc = make_sum_desc(context.engine(), primitive_attributes(), dst, scales, srcs);
  auto kernel = std::make_unique<PrimitiveKernel>();
  kernel->set<dnnl::sum>(desc);
  for (int i = 0; i < count; ++i) {
    kernel->add_src(DNNL_ARG_MULTIPLE_SRC + i, context.schedule->src(*context.step, i), dst, dst);
  }
  kernel->add_dst(DNNL_ARG_DST, context.step->dst, dst, dst);
  kernel->finish();
  return kernel;
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
