// The engine's add: oneDNN's sum.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/runner.hpp>
#include <posemachine/graph/ops/add.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

inline std::unique_ptr<Runner> make_add(const BuildContext& context) {
  const int count = context.node().inputs.count;
  // Whole blocks of channels, the zeros behind the last one too: ragged ones fall to a reference loop.
  ScheduledValue whole = context.dst();
  whole.c = static_cast<int>(whole.padded_channels(context.schedule->block()));
  const dnnl::memory::desc dst = context.desc(whole);
  const std::vector<float> scales(static_cast<std::size_t>(count), 1.0f);
  const std::vector<dnnl::memory::desc> srcs(static_cast<std::size_t>(count), dst);
  const auto desc = make_sum_desc(context.engine(), plan_attributes(), dst, scales, srcs);
  auto runner = std::make_unique<PrimitiveRunner>();
  runner->set<dnnl::sum>(desc);
  for (int i = 0; i < count; ++i) {
    runner->add_src(DNNL_ARG_MULTIPLE_SRC + i, context.schedule->src(*context.step, i), dst, dst);
  }
  runner->add_dst(DNNL_ARG_DST, context.step->dst, dst, dst);
  runner->finish();
  return runner;
}

}  // namespace detail

inline constexpr std::array add_engine{EngineOp{&add_op, detail::make_add}};

}  // namespace posemachine::inline POSEMACHINE_BUILD
