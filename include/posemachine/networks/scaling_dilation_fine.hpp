// scaling-dilation-fine: the paper's modules in stages that go down to a sixteenth of the size and up to a quarter.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/layers/activation.hpp>
#include <posemachine/layers/branches.hpp>
#include <posemachine/layers/convolution.hpp>
#include <posemachine/layers/network.hpp>
#include <posemachine/layers/resize.hpp>
#include <posemachine/layers/sequential.hpp>
#include <posemachine/layers/tags.hpp>
#include <posemachine/modules/convolution_relu.hpp>
#include <posemachine/modules/dilation_module.hpp>
#include <posemachine/modules/fire.hpp>
#include <posemachine/modules/pyramid_stack.hpp>
#include <posemachine/modules/residual.hpp>
#include <posemachine/modules/se_gate.hpp>

#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

struct ScalingDilationFineOptions {
  std::int32_t maps = 15;  // joints and background
  std::int32_t stages = 2;
  std::int32_t width = 32;       // channels at a quarter of the size; twice at an eighth, four times at a sixteenth
  std::int32_t rate_width = 32;  // channels per dilation rate
  std::int32_t head = 64;        // channels before the maps
  std::int32_t reduction = 8;    // of the gate
  // Of the distributions: those that equal Gaussians of 6 pixels have a peak of 1.
  SpatialSoftmaxOptions softmax{.scale_percent = 1414};
};

/// A fire with a sum around it: (C, H, W) -> (C, H, W). Source: Iandola et al. 2016 (SqueezeNet), 6 (simple bypass).
template <std::int32_t Channels>
using ResidualFire = Residual<Fire<FireOptions{.squeeze = Channels / 2, .expand = Channels / 2, .norm = Norm::batch}>>;

// clang-format off: compositions, one part after another
/// (3, H, W) -> tag "features" (width, H/4, W/4).
template <ScalingDilationFineOptions O>
struct FineStem : Sequential<
    Conv<O.width / 2, 3, ConvolutionOptions{.stride = 2, .bias = false, .init = Init::fan_in_uniform}>, BatchNorm<>, ReLU,
    PyramidStack<PyramidOptions{.norm = Norm::batch}>, ResidualFire<O.width>, Tag<"features">> {};

/// (width, H/4, W/4) -> (width, H/4, W/4): down to a sixteenth and up again, a sum at every size; dilation and the gate
/// at the smallest one, where they cost least and see most.
template <ScalingDilationFineOptions O>
struct FineContext : Sequential<
    ResidualFire<O.width>, Retag<"quarter">,                                                   // (width, H/4, W/4)
    PyramidStack<PyramidOptions{.norm = Norm::batch}>, ResidualFire<2 * O.width>, Retag<"eighth">,
    PyramidStack<PyramidOptions{.norm = Norm::batch}>, ResidualFire<4 * O.width>,              // (4 width, H/16, W/16)
    Residual<Sequential<DilationModule<1, 2, 3, 4, Width{.channels = O.rate_width, .norm = Norm::batch}>,
                        ConvReLU<4 * O.width, 1, Norm::batch>>>,
    SEGate<O.reduction>, ResidualFire<4 * O.width>,
    ConvReLU<2 * O.width, 1, Norm::batch>, Upsample<>, Add<Identity, From<"eighth">>, ResidualFire<2 * O.width>,
    ConvReLU<O.width, 1, Norm::batch>, Upsample<>, Add<Identity, From<"quarter">>, ResidualFire<O.width>> {};

/// (width, H/4, W/4) -> tag "body" (head, H/4, W/4), and output "heatmaps" (maps, H/4, W/4), distributions over cells.
template <ScalingDilationFineOptions O>
struct FineHead : Sequential<
    ConvReLU<O.head, 1, Norm::batch>, Retag<"body">, Conv<O.maps, 1, ConvolutionOptions{.init = Init::near_zero}>,
    SpatialSoftmax<O.softmax>, Output<"heatmaps">> {};

template <ScalingDilationFineOptions O>
struct FineStage : Sequential<FineContext<O>, FineHead<O>> {};

/// What the stage before found is added to the features, as in stacked hourglasses (Newell et al. 2016, 3.2).
template <ScalingDilationFineOptions O>
struct FineNextStage : Sequential<
    Add<From<"features">, Sequential<From<"body">, Conv<O.width, 1>>>, Retag<"features">,
    FineContext<O>, FineHead<O>> {};

/// Input "image" (3, H, W), H and W multiples of 16; outputs "heatmaps_stage_1" ... "heatmaps" (maps, H/4, W/4).
template <ScalingDilationFineOptions O = ScalingDilationFineOptions{}>
struct ScalingDilationFine
    : Network<Input<"image", 3>, FineStem<O>, FineStage<O>, Repeat<O.stages - 1, FineNextStage<O>>> {
  static_assert(O.width % 2 == 0 && O.width >= 2, "ScalingDilationFine: the width is even");
};
// clang-format on

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
