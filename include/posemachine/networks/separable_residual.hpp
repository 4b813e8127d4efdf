// separable-residual: inverted residuals down, transposed convolutions up; for processors that have little time.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/layers/activation.hpp>
#include <posemachine/layers/convolution.hpp>
#include <posemachine/layers/network.hpp>
#include <posemachine/layers/sequential.hpp>
#include <posemachine/modules/convolution_relu.hpp>
#include <posemachine/modules/residual.hpp>

#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

struct SeparableResidualOptions {
  std::int32_t maps = 15;  // joints and background
  std::int32_t head = 48;  // channels while the maps grow again
};

// clang-format off: compositions, one part after another
/// (3, H, W) -> (96, H/16, W/16), as the first eleven blocks of MobileNetV2 at half their stride.
struct SeparableTrunk : Sequential<
    Conv<16, 3, ConvolutionOptions{.stride = 2, .bias = false, .init = Init::fan_in_uniform}>, BatchNorm<>, ReLU,
    InvertedResidual<16, SeparableOptions{.expansion = 1}>,
    InvertedResidual<24, SeparableOptions{.stride = 2}>, InvertedResidual<24>,
    InvertedResidual<32, SeparableOptions{.stride = 2}>, Repeat<2, InvertedResidual<32>>,
    InvertedResidual<64, SeparableOptions{.stride = 2}>, Repeat<3, InvertedResidual<64>>,
    InvertedResidual<96>> {};

/// Twice the size.
template <std::int32_t Out>
struct Enlarge : Sequential<
    TransposedConv<Out, 4, TransposedConvolutionOptions{
        .bias = 0, .init = Init::fan_in_uniform}>,
    BatchNorm<>, ReLU> {};

/// Input "image" (3, H, W), H and W multiples of 16; output "heatmaps" (maps, H/4, W/4).
/// Sources: Sandler et al. 2018 (blocks), Xiao et al. 2018 (head).
template <SeparableResidualOptions O = SeparableResidualOptions{}>
struct SeparableResidual
    : Network<Input<"image", 3>, SeparableTrunk, Enlarge<O.head>, Enlarge<O.head>,
              Conv<O.maps, 1, ConvolutionOptions{.init = Init::near_zero}>, Output<"heatmaps">> {};
// clang-format on

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
