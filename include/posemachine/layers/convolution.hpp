// Conv, BatchNorm: the layers that learn.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/batch_norm.hpp>
#include <posemachine/graph/ops/convolution.hpp>
#include <posemachine/graph/ops/transposed_convolution.hpp>

#include <cstdint>

namespace posemachine::inline POSEMACHINE_BUILD {

/// What a convolution can be besides its channels and kernel; counts are of cells.
struct ConvOptions {
  std::int32_t stride = 1;
  std::int32_t dilation = 1;  // counted from 1: 1 is dense
  std::int32_t padding = same_padding;
  bool bias = true;
  Init init = Init::he_normal;  // of the weights
  std::int32_t groups = 1;      // both channel counts are multiples of it
};

namespace detail {

constexpr ConvolutionOptions convolution_of(std::int32_t out, std::int32_t kernel, const ConvOptions& options) {
  return {.out = out,
          .kernel = kernel,
          .stride = options.stride,
          .dilation = options.dilation,
          .padding = options.padding,
          .bias = options.bias ? 1 : 0,
          .init = static_cast<std::int32_t>(options.init),
          .groups = options.groups};
}

}  // namespace detail

/// (C, H, W) -> (Out, H / stride, W / stride). Errors: a rule, where an option is out of range. See convolution().
template <std::int32_t Out, std::int32_t Kernel, ConvOptions Options = ConvOptions{}>
struct Conv {
  using Glue = Conv;
  static constexpr Value lower(Graph& graph, Value src) {
    return convolution(graph, src, detail::convolution_of(Out, Kernel, Options));
  }
};

/// (C, H, W) -> (C, H / stride, W / stride): a kernel of its own for every channel. Source: Howard et al. 2017.
template <std::int32_t Kernel, ConvOptions Options = ConvOptions{}>
struct DepthwiseConv {
  static_assert(Options.groups == 1, "DepthwiseConv: as many groups as channels, none to choose");
  using Glue = DepthwiseConv;
  static constexpr Value lower(Graph& graph, Value src) {
    return depthwise_convolution(graph, src, detail::convolution_of(1, Kernel, Options));
  }
};

/// (C, H, W) -> (Out, H stride, W stride), for kernels that fit: Kernel - 2 padding + output_padding = stride.
/// See transposed_convolution().
template <std::int32_t Out, std::int32_t Kernel, TransposedConvolutionOptions Options = TransposedConvolutionOptions{}>
struct TransposedConv {
  using Glue = TransposedConv;
  static constexpr Value lower(Graph& graph, Value src) {
    TransposedConvolutionOptions options = Options;
    options.out = Out;
    options.kernel = Kernel;
    return transposed_convolution(graph, src, options);
  }
};

/// (C, H, W) -> (C, H, W). See batch_norm().
template <BatchNormOptions Options = BatchNormOptions{}>
struct BatchNorm {
  using Glue = BatchNorm;
  static constexpr Value lower(Graph& graph, Value src) { return batch_norm(graph, src, Options); }
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
