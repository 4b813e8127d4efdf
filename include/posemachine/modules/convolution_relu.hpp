// convolution_relu: the convolution, optional batch norm and ReLU that modules are made of.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/activation.hpp>
#include <posemachine/graph/ops/batch_norm.hpp>
#include <posemachine/graph/ops/convolution.hpp>

#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// What stands between a module's convolutions and their ReLU.
enum class Norm : std::int32_t { none, batch };

/// (C, H, W) -> (out, H / stride, W / stride): convolution, then batch norm where asked for: the bias is then its shift,
/// and the weights begin as Init::fan_in_uniform, whatever `options` say.
constexpr Value convolution_norm(Graph& graph, Value src, ConvolutionOptions options, Norm norm) {
  options.bias = norm == Norm::none ? 1 : 0;
  if (norm == Norm::batch) options.init = Init::fan_in_uniform;
  const Value dst = convolution(graph, src, options);
  return norm == Norm::batch ? batch_norm(graph, dst) : dst;
}

/// convolution_norm() and a ReLU.
constexpr Value convolution_relu(Graph& graph, Value src, const ConvolutionOptions& options, Norm norm) {
  return relu(graph, convolution_norm(graph, src, options, norm));
}

/// The same as a layer: ConvReLU<32, 3>, ConvReLU<32, 3, Norm::batch>.
template <std::int32_t Out, std::int32_t Kernel, Norm Normalised = Norm::none>
struct ConvReLU {
  using AddsNoScope = ConvReLU;
  static constexpr Value lower(Graph& graph, Value src) {
    return convolution_relu(graph, src, {.out = Out, .kernel = Kernel}, Normalised);
  }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
