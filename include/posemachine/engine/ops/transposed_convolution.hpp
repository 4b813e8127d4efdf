// The engine's transposed convolution: oneDNN's deconvolution, its gradient of src, gradients of weights and bias.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/engine/ops/convolution.hpp>
#include <posemachine/graph/ops/transposed_convolution.hpp>

#include <array>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

struct TransposedConvolutionKind {
  using Forward = dnnl::deconvolution_forward;
  using BackwardData = dnnl::deconvolution_backward_data;
  using BackwardWeights = dnnl::deconvolution_backward_weights;
  static constexpr auto direct = dnnl::algorithm::deconvolution_direct;
  static ConvolutionShape shape(const BuildContext& context, const schedule::ScheduledValue& src);
};

}  // namespace detail

inline constexpr std::array transposed_convolution_engine{
    EngineOp{&transposed_convolution_op, detail::make_weighted<detail::TransposedConvolutionKind>},
    EngineOp{&transposed_convolution_backward_data_op,
             detail::make_weighted_backward_data<detail::TransposedConvolutionKind>},
    EngineOp{&transposed_convolution_backward_weights_op,
             detail::make_weighted_backward_weights<detail::TransposedConvolutionKind>},
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/ops/transposed_convolution.ipp>
#endif
