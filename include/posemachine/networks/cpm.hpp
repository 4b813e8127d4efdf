// cpm: Convolutional Pose Machines, layer by layer as released; first weights of the heads aside.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/layers/activation.hpp>
#include <posemachine/layers/branches.hpp>
#include <posemachine/layers/convolution.hpp>
#include <posemachine/layers/network.hpp>
#include <posemachine/layers/pooling.hpp>
#include <posemachine/layers/sequential.hpp>
#include <posemachine/layers/tags.hpp>
#include <posemachine/modules/convolution_relu.hpp>

#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

struct CPMOptions {
  std::int32_t maps = 15;   // joints and background
  std::int32_t stages = 6;  // 6 in the paper, 3 in the pilot study of Nie et al. 2019
  Percent dropout{50};      // twice in the first stage
};

/// (C, H, W) -> (128, H/8, W/8), H and W multiples of 8: three times a 9x9 convolution and a 3x3 maximum, whose sizes
/// round up.
struct CPMTrunk : Repeat<3, Sequential<ConvReLU<128, 9>, MaxPool<3, PoolingOptions{.stride = 2, .ceil = true}>>> {};

// clang-format off: compositions, one part after another
/// (3, H, W) -> tag "maps" and output "heatmaps" (maps, H/8, W/8).
template <CPMOptions O>
struct CPMFirstStage : Sequential<
    CPMTrunk, ConvReLU<32, 5>, ConvReLU<512, 9>, Dropout<O.dropout>, ConvReLU<512, 1>, Dropout<O.dropout>,
    Conv<O.maps, 1, ConvolutionOptions{.init = Init::near_zero}>, Tag<"maps">, Output<"heatmaps">> {};

/// 32 features beside the maps of the stage before and the centre map -> maps.
template <CPMOptions O>
struct CPMRefinement : Sequential<
    Concat<ConvReLU<32, 5>, From<"maps">, From<"centre_low">>,
    ConvReLU<128, 11>, ConvReLU<128, 11>, ConvReLU<128, 11>, ConvReLU<128, 1>,
    Conv<O.maps, 1, ConvolutionOptions{.init = Init::near_zero}>, Retag<"maps">, Output<"heatmaps">> {};

/// Has a trunk of its own, whose features the stages after it share.
template <CPMOptions O>
struct CPMSecondStage : Sequential<From<"image">, CPMTrunk, Tag<"features">, CPMRefinement<O>> {};

template <CPMOptions O>
struct CPMNextStage : Sequential<From<"features">, CPMRefinement<O>> {};

/// Inputs "image" (3, H, W) and "centre" (1, H, W), a Gaussian of 21 pixels at the person's centre; H and W multiples
/// of 8. Outputs "heatmaps_stage_1" ... "heatmaps" (maps, H/8, W/8). Source: Wei et al. 2016, and the released
/// prototxt. 31,219,866 parameters and 175.44 G multiply-adds at 368 x 368 with six stages, 16,731,021 and 144.78 G
/// with three.
template <CPMOptions O = CPMOptions{}>
struct CPM : Network<
    Input<"image", 3>, Input<"centre", 1>,
    From<"centre">, AveragePool<9, PoolingOptions{.stride = 8, .ceil = true}>, Tag<"centre_low">,
    From<"image">, CPMFirstStage<O>, CPMSecondStage<O>, Repeat<O.stages - 2, CPMNextStage<O>>> {
  static_assert(O.stages >= 2, "CPM: at least two stages");
};
// clang-format on

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
