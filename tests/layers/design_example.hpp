// The network of the documentation, as a user writes it.
#pragma once

#include <posemachine/compose.hpp>

namespace design_example {

namespace pm = posemachine;

// clang-format off: compositions, one part after another
struct Trunk : pm::Sequential<
    pm::Conv<32, 3>, pm::ReLU, pm::Tag<"low">,                                   // F_l, (32, H, W)
    pm::PyramidStack<>, pm::PyramidStack<>, pm::PyramidStack<>, pm::Tag<"high">,  // F_h, (256, H/8, W/8)
    pm::From<"low">, pm::AveragePool<8>, pm::SEGate<4>, pm::Tag<"low_gated">> {};

template <class Entry>
struct Stage : pm::Sequential<
    Entry,
    pm::FireModule<>, pm::FireModule<>, pm::FireModule<>,
    pm::Concat<pm::Identity, pm::Sequential<pm::From<"high">, pm::SEGate<16>>>,
    pm::FireModule<>,
    pm::Concat<pm::Identity, pm::From<"low_gated">>,
    pm::DilationModule<1, 2, 3, 4>,
    pm::Conv<128, 1>, pm::ReLU, pm::Conv<15, 1>,
    pm::Retag<"maps">, pm::Output<"heatmaps">> {};
// clang-format on

struct FirstStage : Stage<pm::From<"high">> {};
struct NextStage : Stage<pm::Concat<pm::From<"high">, pm::From<"maps">>> {};
struct ScalingDilation : pm::Network<pm::Input<"image", 3>, Trunk, FirstStage, NextStage, NextStage, NextStage> {};

static_assert(pm::parameter_count<ScalingDilation> == 1'602'212 && pm::stride<ScalingDilation> == 8);

}  // namespace design_example
