// The definitions of engine/ops/channel_scale.hpp.
#pragma once

#include <posemachine/engine/ops/channel_scale.hpp>

#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/ops/map_kernel.hpp>
#include <posemachine/engine/primitive_kernel.hpp>

#include <cstddef>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_channel_scale(const BuildContext& context) {
  // The small tensor must be the second one: oneDNN broadcasts the first in a reference loop.
  const dnnl::memory::desc data = context.desc(context.dst());
  const dnnl::memory::desc gate = context.desc(context.src(1));
  const auto desc =
      make_desc<dnnl::binary>(context.engine(), primitive_attributes(), dnnl::algorithm::binary_mul, data, gate, data);
  if (is_empty(desc)) fail_no_implementation(context);
  auto kernel = std::make_unique<PrimitiveKernel>();
  kernel->set<dnnl::binary>(desc);
  kernel->add_src(DNNL_ARG_SRC_0, context.schedule->src(*context.step, 0), context.desc(context.src(0)), data);
  kernel->add_src(DNNL_ARG_SRC_1, context.schedule->src(*context.step, 1), gate, gate);
  kernel->add_dst(DNNL_ARG_DST, context.step->dst, data, data);
  kernel->finish();
  return kernel;
}

// diff_gate[c] = sum over cells of src * diff_dst, in double: maps of a few hundred thousand cells lose digits in
// float.
POSEMACHINE_INLINE void sum_products(const MapView<float>& src, const MapView<float>& diff_dst,
                                     const MapView<float>& diff_gate) {
  for (int image = 0; image < src.n; ++image) {
    for (int c = 0; c < src.c; ++c) {
      const float* a = src.channel(image, c);
      const float* b = diff_dst.channel(image, c);
      const std::size_t step = src.cell_step();
      const std::size_t other = diff_dst.cell_step();
      double sum = 0;
      for (std::size_t cell = 0; cell < src.cells(); ++cell) sum += double{a[cell * step]} * double{b[cell * other]};
      *diff_gate.channel(image, c) = static_cast<float>(sum);
    }
  }
  zero_padding(diff_gate);
}

POSEMACHINE_INLINE std::unique_ptr<Kernel> make_channel_scale_backward_gate(const BuildContext& context) {
  return map_kernel<2>(
      context, "posemachine:sum_products",
      [](const auto& srcs, const MapView<float>& dst, const RandomKey&) { sum_products(srcs[0], srcs[1], dst); });
}

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
