// Residual, ResidualBlock, Bottleneck, SeparableConv, InvertedResidual: sums around what is learnt.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/activation.hpp>
#include <posemachine/graph/ops/add.hpp>
#include <posemachine/graph/ops/batch_norm.hpp>
#include <posemachine/graph/ops/convolution.hpp>
#include <posemachine/layers/branches.hpp>
#include <posemachine/layers/layer.hpp>
#include <posemachine/modules/convolution_relu.hpp>

#include <array>
#include <cstdint>

namespace posemachine::inline POSEMACHINE_BUILD {

/// (C, H, W) -> Body's shape: Body(src) + Shortcut(src), nothing after it. Errors: a rule, where their shapes differ.
template <class Body, class Shortcut = Identity>
struct Residual : Add<Body, Shortcut> {};

struct ResidualOptions {
  std::int32_t stride = 1;     // of the first 3x3 convolution
  std::int32_t reduction = 4;  // Bottleneck: its inner channels are Out / reduction
  Norm norm = Norm::batch;     // after every convolution
};

namespace detail {

// A convolution with its norm and no activation.
constexpr Value convolution_norm(Graph& graph, Value src, ConvolutionOptions options, Norm norm) {
  options.bias = norm == Norm::none ? 1 : 0;
  const Value dst = convolution(graph, src, options);
  return norm == Norm::batch ? batch_norm(graph, dst) : dst;
}

// src itself where it has the shape of the body, else a 1x1 convolution (projection).
constexpr Value shortcut(Graph& graph, Value src, int out, const ResidualOptions& options) {
  if (channels(graph, src) == out && options.stride == 1) return src;
  return convolution_norm(graph, src, {.out = out, .stride = options.stride}, options.norm);
}

}  // namespace detail

/// (C, H, W) -> (Out, H / stride, W / stride): two 3x3 convolutions beside src, or its projection where shapes differ,
/// and a ReLU after the sum. Source: He et al. 2016, Fig. 5 left.
template <std::int32_t Out, ResidualOptions Options = ResidualOptions{}>
struct ResidualBlock {
  static constexpr Value lower(Graph& graph, Value src) {
    const Value hidden =
        convolution_relu(graph, src, {.out = Out, .kernel = 3, .stride = Options.stride}, Options.norm);
    const Value learnt = detail::convolution_norm(graph, hidden, {.out = Out, .kernel = 3}, Options.norm);
    return relu(graph, add(graph, std::array{learnt, detail::shortcut(graph, src, Out, Options)}));
  }
};

/// (C, H, W) -> (Out, H / stride, W / stride): 1x1 to Out / reduction channels, 3x3, 1x1 to Out, beside src or its
/// projection, and a ReLU after the sum. Out must be divisible by reduction. Source: He et al. 2016, Fig. 5 right, with
/// the stride in the 3x3 convolution (Goyal et al. 2017).
template <std::int32_t Out, ResidualOptions Options = ResidualOptions{}>
struct Bottleneck {
  static_assert(Options.reduction >= 1 && Out % Options.reduction == 0,
                "Bottleneck<out, options>: out must be divisible by the reduction");

  static constexpr Value lower(Graph& graph, Value src) {
    constexpr std::int32_t inner = Out / Options.reduction;
    Value value = convolution_relu(graph, src, {.out = inner}, Options.norm);
    value = convolution_relu(graph, value, {.out = inner, .kernel = 3, .stride = Options.stride}, Options.norm);
    value = detail::convolution_norm(graph, value, {.out = Out}, Options.norm);
    return relu(graph, add(graph, std::array{value, detail::shortcut(graph, src, Out, Options)}));
  }
};

struct SeparableOptions {
  std::int32_t kernel = 3;
  std::int32_t stride = 1;
  std::int32_t expansion = 6;  // InvertedResidual: its inner channels are expansion times C
  Norm norm = Norm::batch;     // after every convolution
};

/// (C, H, W) -> (Out, H / stride, W / stride): a kernel for each channel, then a 1x1 convolution, each with a ReLU.
/// Source: Howard et al. 2017 (MobileNet), Fig. 3.
template <std::int32_t Out, SeparableOptions Options = SeparableOptions{}>
struct SeparableConv {
  static constexpr Value lower(Graph& graph, Value src) {
    const int in = channels(graph, src);
    const Value each = convolution_relu(
        graph, src, {.out = in, .kernel = Options.kernel, .stride = Options.stride, .groups = in}, Options.norm);
    return convolution_relu(graph, each, {.out = Out}, Options.norm);
  }
};

/// (C, H, W) -> (Out, H / stride, W / stride): 1x1 to expansion C channels, a kernel for each, 1x1 to Out without an
/// activation; src is added where the shapes agree. Source: Sandler et al. 2018 (MobileNetV2), Fig. 3.
template <std::int32_t Out, SeparableOptions Options = SeparableOptions{}>
struct InvertedResidual {
  static_assert(Options.expansion >= 1, "InvertedResidual<out, options>: the expansion is at least 1");

  static constexpr Value lower(Graph& graph, Value src) {
    const int in = channels(graph, src);
    const int inner = in * Options.expansion;
    Value value = Options.expansion > 1 ? convolution_relu(graph, src, {.out = inner}, Options.norm) : src;
    value = convolution_relu(graph, value,
                             {.out = inner, .kernel = Options.kernel, .stride = Options.stride, .groups = inner},
                             Options.norm);
    value = detail::convolution_norm(
        graph, value, {.out = Out, .init = static_cast<std::int32_t>(Init::lecun_normal)}, Options.norm);
    return in == Out && Options.stride == 1 ? add(graph, std::array{value, src}) : value;
  }
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
