// Conv, BatchNorm: the layers that learn.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/batch_norm.hpp>
#include <posemachine/graph/ops/convolution.hpp>
#include <posemachine/graph/ops/transposed_convolution.hpp>

#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// The options with what a layer's other arguments say.
template <class Options>
constexpr Options with_kernel(Options options, std::int32_t out, std::int32_t kernel) {
  options.out = out;
  options.kernel = kernel;
  return options;
}

}  // namespace detail

/// (C, H, W) -> (Out, H / stride, W / stride); `out` and `kernel` of the options are not read. Errors: a rule, where an option is out of range. See convolution().
template <std::int32_t Out, std::int32_t Kernel, ConvolutionOptions Options = ConvolutionOptions{}>
struct Conv {
  using AddsNoScope = Conv;
  static constexpr Value lower(Graph& graph, Value src) {
    return convolution(graph, src, detail::with_kernel(Options, Out, Kernel));
  }
};

/// (C, H, W) -> (C, H / stride, W / stride): a kernel of its own for every channel. Source: Howard et al. 2017.
template <std::int32_t Kernel, ConvolutionOptions Options = ConvolutionOptions{}>
struct DepthwiseConv {
  static_assert(Options.groups == 1, "DepthwiseConv: as many groups as channels, none to choose");
  using AddsNoScope = DepthwiseConv;
  static constexpr Value lower(Graph& graph, Value src) {
    return depthwise_convolution(graph, src, detail::with_kernel(Options, 1, Kernel));
  }
};

/// (C, H, W) -> (Out, H stride, W stride), for kernels that fit: Kernel - 2 padding + output_padding = stride.
/// See transposed_convolution().
template <std::int32_t Out, std::int32_t Kernel, TransposedConvolutionOptions Options = TransposedConvolutionOptions{}>
struct TransposedConv {
  using AddsNoScope = TransposedConv;
  static constexpr Value lower(Graph& graph, Value src) {
    return transposed_convolution(graph, src, detail::with_kernel(Options, Out, Kernel));
  }
};

/// (C, H, W) -> (C, H, W). See batch_norm().
template <BatchNormOptions Options = BatchNormOptions{}>
struct BatchNorm {
  using AddsNoScope = BatchNorm;
  static constexpr Value lower(Graph& graph, Value src) { return batch_norm(graph, src, Options); }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
