// Residual, ResidualBlock, Bottleneck, SeparableConv, InvertedResidual: sums around what is learnt.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/activation.hpp>
#include <posemachine/graph/ops/add.hpp>
#include <posemachine/graph/ops/batch_norm.hpp>
#include <posemachine/graph/ops/convolution.hpp>
#include <posemachine/layers/branches.hpp>
#include <posemachine/modules/convolution_relu.hpp>

#include <array>
#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// (C, H, W) -> Body's shape: Body(src) + Shortcut(src), nothing after it. Errors: a rule, where their shapes differ.
template <class Body, class Shortcut = Identity>
struct Residual : Add<Body, Shortcut> {};

struct ResidualOptions {
  std::int32_t stride = 1;     // of the first 3x3 convolution
  std::int32_t reduction = 4;  // Bottleneck: its inner channels are Out / reduction
  Norm norm = Norm::batch;     // after every convolution
};

namespace detail {

// src itself where it has the shape of the body, else a 1x1 convolution (projection).
constexpr Value shortcut(Graph& graph, Value src, int out, const ResidualOptions& options) {
  if (channels(graph, src) == out && options.stride == 1) return src;
  return convolution_norm(graph, src, {.out = out, .stride = options.stride}, options.norm);
}

}  // namespace detail

/// (C, H, W) -> (out, H / stride, W / stride): two 3x3 convolutions beside src, or its projection where shapes differ,
/// and a ReLU after the sum. Source: He et al. 2016, Fig. 5 left.
constexpr Value residual_block(Graph& graph, Value src, std::int32_t out, const ResidualOptions& options) {
  const Value hidden = convolution_relu(graph, src, {.out = out, .kernel = 3, .stride = options.stride}, options.norm);
  const Value learnt = convolution_norm(graph, hidden, {.out = out, .kernel = 3}, options.norm);
  return relu(graph, add(graph, std::array{learnt, detail::shortcut(graph, src, out, options)}));
}

/// (C, H, W) -> (out, H / stride, W / stride): 1x1 to out / reduction channels, 3x3, 1x1 to out, beside src or its
/// projection, and a ReLU after the sum. Errors: a rule, where the reduction does not divide out.
/// Source: He et al. 2016, Fig. 5 right, with the stride in the 3x3 convolution (Goyal et al. 2017).
constexpr Value bottleneck(Graph& graph, Value src, std::int32_t out, const ResidualOptions& options) {
  const std::int32_t inner = channels_over(graph, out, options.reduction);
  Value value = convolution_relu(graph, src, {.out = inner}, options.norm);
  value = convolution_relu(graph, value, {.out = inner, .kernel = 3, .stride = options.stride}, options.norm);
  value = convolution_norm(graph, value, {.out = out}, options.norm);
  return relu(graph, add(graph, std::array{value, detail::shortcut(graph, src, out, options)}));
}

/// residual_block() as a layer.
template <std::int32_t Out, ResidualOptions Options = ResidualOptions{}>
struct ResidualBlock {
  static constexpr Value lower(Graph& graph, Value src) { return residual_block(graph, src, Out, Options); }
};

/// bottleneck() as a layer.
template <std::int32_t Out, ResidualOptions Options = ResidualOptions{}>
struct Bottleneck {
  static constexpr Value lower(Graph& graph, Value src) { return bottleneck(graph, src, Out, Options); }
};

struct SeparableOptions {
  std::int32_t kernel = 3;
  std::int32_t stride = 1;
  std::int32_t expansion = 6;  // InvertedResidual: its inner channels are expansion times C
  Norm norm = Norm::batch;     // after every convolution
};

/// (C, H, W) -> (out, H / stride, W / stride): a kernel for each channel, then a 1x1 convolution, each with a ReLU.
/// Source: Howard et al. 2017 (MobileNet), Fig. 3.
constexpr Value separable_convolution(Graph& graph, Value src, std::int32_t out, const SeparableOptions& options) {
  const int in = channels(graph, src);
  const Value each = convolution_relu(
      graph, src, {.out = in, .kernel = options.kernel, .stride = options.stride, .groups = in}, options.norm);
  return convolution_relu(graph, each, {.out = out}, options.norm);
}

/// (C, H, W) -> (out, H / stride, W / stride): 1x1 to expansion C channels, a kernel for each, 1x1 to out without an
/// activation; src is added where the shapes agree. With an expansion of 1 the first 1x1 is left out.
/// Source: Sandler et al. 2018 (MobileNetV2), Fig. 3.
constexpr Value inverted_residual(Graph& graph, Value src, std::int32_t out, const SeparableOptions& options) {
  require(graph, options.expansion >= 1, "InvertedResidual: the expansion is at least 1");
  const int in = channels(graph, src);
  const std::int64_t wide = std::int64_t{in} * options.expansion;
  const bool fits = require(graph, wide <= 65536, Rule::channels_limit, in, options.expansion);
  const int inner = fits ? static_cast<int>(wide) : in;
  Value value = options.expansion > 1 ? convolution_relu(graph, src, {.out = inner}, options.norm) : src;
  value = convolution_relu(
      graph, value, {.out = inner, .kernel = options.kernel, .stride = options.stride, .groups = inner}, options.norm);
  value = convolution_norm(graph, value, {.out = out, .init = Init::lecun_normal}, options.norm);
  return in == out && options.stride == 1 ? add(graph, std::array{value, src}) : value;
}

/// separable_convolution() as a layer.
template <std::int32_t Out, SeparableOptions Options = SeparableOptions{}>
struct SeparableConv {
  static constexpr Value lower(Graph& graph, Value src) { return separable_convolution(graph, src, Out, Options); }
};

/// inverted_residual() as a layer.
template <std::int32_t Out, SeparableOptions Options = SeparableOptions{}>
struct InvertedResidual {
  static_assert(Options.expansion >= 1, "InvertedResidual<out, options>: the expansion is at least 1");
  static constexpr Value lower(Graph& graph, Value src) { return inverted_residual(graph, src, Out, Options); }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
