// stacked-hourglass-small: hourglasses one after another, after Newell et al. 2016, at an eighth of their cost.
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
#include <posemachine/modules/hourglass.hpp>
#include <posemachine/modules/residual.hpp>

#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

struct StackedHourglassOptions {
  std::int32_t maps = 15;  // joints and background
  std::int32_t stacks = 2;
  std::int32_t width = 64;  // channels of the maps between; 256 in the paper
  std::int32_t depth = 3;   // times an hourglass halves them; 4 in the paper
};

// clang-format off: compositions, one part after another
/// (3, H, W) -> tag "features" (width, H/4, W/4).
template <StackedHourglassOptions O>
struct HourglassStem : Sequential<
    Conv<O.width / 4, 7, ConvolutionOptions{.stride = 2, .bias = false, .init = Init::fan_in_uniform}>, BatchNorm<>, ReLU,
    Bottleneck<O.width / 2, ResidualOptions{.reduction = 2}>, MaxPool<2>,
    Bottleneck<O.width / 2, ResidualOptions{.reduction = 2}>,
    Bottleneck<O.width, ResidualOptions{.reduction = 2}>, Tag<"features">> {};

/// An hourglass and the maps it finds, output "heatmaps"; tags "body" and "maps" for the stack after it.
template <StackedHourglassOptions O>
struct HourglassStack : Sequential<
    Hourglass<O.depth, Bottleneck<O.width, ResidualOptions{.reduction = 2}>>,
    Bottleneck<O.width, ResidualOptions{.reduction = 2}>, ConvReLU<O.width, 1, Norm::batch>, Retag<"body">,
    Conv<O.maps, 1, ConvolutionOptions{.init = Init::near_zero}>, Retag<"maps">, Output<"heatmaps">> {};

/// Features, what the stack before made of them and what it found, added up; then another stack.
template <StackedHourglassOptions O>
struct NextHourglassStack : Sequential<
    Add<From<"features">, Sequential<From<"body">, Conv<O.width, 1>>, Sequential<From<"maps">, Conv<O.width, 1>>>,
    Retag<"features">, HourglassStack<O>> {};

/// Input "image" (3, H, W), H and W multiples of 4 * 2^depth; outputs "heatmaps_stage_1" ... "heatmaps" (maps, H/4,
/// W/4). Source: Newell et al. 2016, with the bottlenecks of He et al. 2016 (norm after the convolution) and a quarter
/// of the width.
template <StackedHourglassOptions O = StackedHourglassOptions{}>
struct StackedHourglass
    : Network<Input<"image", 3>, HourglassStem<O>, HourglassStack<O>, Repeat<O.stacks - 1, NextHourglassStack<O>>> {};
// clang-format on

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
