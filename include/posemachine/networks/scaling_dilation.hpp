// scaling-dilation: the multi-stage convolution machine of Nie et al. 2019, and a small one of the same composition.
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
#include <posemachine/modules/dilation_module.hpp>
#include <posemachine/modules/fire.hpp>
#include <posemachine/modules/pyramid_stack.hpp>
#include <posemachine/modules/se_gate.hpp>

#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Widths of the network. The paper's tables are lost; the defaults are the base widths of this project's reading.
struct ScalingDilationOptions {
  std::int32_t maps = 15;  // joints and background
  std::int32_t stages = 4;
  std::int32_t low = 32;             // channels of F_l; F_h has 8 times as many
  FireOptions fire{};                // of every fire: the module has 4 expand channels
  std::int32_t rate_width = 32;      // channels per dilation rate
  std::int32_t head = 128;           // channels before the maps
  std::int32_t low_reduction = 4;    // of the gate on F_l
  std::int32_t high_reduction = 16;  // of the gates on F_h
  Percent dropout{0};                // after the trunk; the paper's ratio is lost
  Norm norm = Norm::none;            // between convolutions and their ReLU; the paper has none
};

// clang-format off: compositions, one part after another
/// PRE-STAGE: (3, H, W) -> tags "high" (8 low, H/8, W/8) and "low_gated" (low, H/8, W/8); H, W multiples of 8.
/// The gate on F_l pools first: a factor per channel commutes with average pooling, and it costs 64 times less.
template <ScalingDilationOptions O>
struct PreStage : Sequential<
    ConvReLU<O.low, 3, O.norm>, Tag<"low">,                                      // (low, H, W)
    Repeat<3, PyramidStack<PyramidOptions{.kernel = 3, .norm = O.norm}>>,
    Dropout<O.dropout>, Tag<"high">,                                             // (8 low, H/8, W/8)
    From<"low">, AveragePool<8>, SEGate<O.low_reduction>, Tag<"low_gated">> {};  // (low, H/8, W/8)

/// STAGE: entry -> tag "maps" and output "heatmaps" (maps, H/8, W/8). Source: Nie et al. 2019, 3.3, Fig. 3.
template <class Entry, ScalingDilationOptions O>
struct ScalingDilationStage : Sequential<
    Entry,
    Repeat<3, FireModule<O.fire>>,
    Concat<Identity, Sequential<From<"high">, SEGate<O.high_reduction>>>,
    FireModule<O.fire>,
    Concat<Identity, From<"low_gated">>,
    DilationModule<1, 2, 3, 4, Width{.channels = O.rate_width, .norm = O.norm}>,
    ConvReLU<O.head, 1, O.norm>, Conv<O.maps, 1, ConvolutionOptions{.init = Init::near_zero}>,
    Retag<"maps">, Output<"heatmaps">> {};
// clang-format on

template <ScalingDilationOptions O>
struct FirstStage : ScalingDilationStage<From<"high">, O> {};

template <ScalingDilationOptions O>
struct NextStage : ScalingDilationStage<Concat<From<"high">, From<"maps">>, O> {};

/// Input "image" (3, H, W), H and W multiples of 8; outputs "heatmaps_stage_1" ... "heatmaps" (maps, H/8, W/8).
/// Source: Nie et al. 2019. 1,602,212 parameters and 3.95 G multiply-adds at 368 x 368 with the default options.
template <ScalingDilationOptions O = ScalingDilationOptions{}>
struct ScalingDilation : Network<Input<"image", 3>, PreStage<O>, FirstStage<O>, Repeat<O.stages - 1, NextStage<O>>> {};

/// The same composition, small enough to be trained on two cores in hours; made for 128 x 128.
inline constexpr ScalingDilationOptions scaling_dilation_small_options{
    .stages = 3,
    .low = 16,
    .fire = {.squeeze = 32, .expand = 32, .norm = Norm::batch},
    .rate_width = 32,
    .head = 128,
    .low_reduction = 4,
    .high_reduction = 8,
    .norm = Norm::batch,
};
using ScalingDilationSmall = ScalingDilation<scaling_dilation_small_options>;

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
