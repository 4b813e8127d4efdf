// How fast each module runs by itself, on maps as they occur in the named networks at 368 x 368.
#include "workload.hpp"

#include <posemachine/graph/graph.hpp>
#include <posemachine/layers/convolution.hpp>
#include <posemachine/layers/layer.hpp>
#include <posemachine/layers/tags.hpp>
#include <posemachine/modules/convolution_relu.hpp>
#include <posemachine/modules/dilation_module.hpp>
#include <posemachine/modules/fire.hpp>
#include <posemachine/modules/hourglass.hpp>
#include <posemachine/modules/pyramid_stack.hpp>
#include <posemachine/modules/residual.hpp>
#include <posemachine/modules/se_gate.hpp>
#include <posemachine/networks/scaling_dilation.hpp>

#include <span>
#include <vector>

namespace {

namespace pm = posemachine;

using workload::Part;
using workload::SourceKind;
using Values = std::span<const pm::Value>;

template <class L>
pm::Value layer(pm::Graph& graph, Values src) {
  return pm::apply<L>(graph, src[0]);
}

// src: features of the trunk, low ones behind their gate, and the maps of the stage before.
pm::Value stage(pm::Graph& graph, Values src) {
  pm::set_tag(graph, src[0], "high");
  pm::set_tag(graph, src[1], "low_gated");
  pm::set_tag(graph, src[2], "maps");
  return pm::apply<pm::NextStage<pm::ScalingDilationOptions{}>>(graph, src[0]);
}

using HourglassBlock = pm::Bottleneck<64, pm::ResidualOptions{.reduction = 2}>;

std::vector<Part> parts() {
  return {
      {"ConvReLU<32,3>", 368, {{3, SourceKind::image}}, layer<pm::ConvReLU<32, 3>>},
      {"PyramidStack", 368, {32}, layer<pm::PyramidStack<>>},
      {"PyramidStack", 184, {64}, layer<pm::PyramidStack<>>},
      {"PyramidStack", 92, {128}, layer<pm::PyramidStack<>>},
      {"Fire", 46, {128}, layer<pm::Fire<>>},
      {"FireModule", 46, {256}, layer<pm::FireModule<>>},
      {"SEGate<4>", 46, {32}, layer<pm::SEGate<4>>},
      {"SEGate<16>", 46, {256}, layer<pm::SEGate<16>>},
      {"DilationModule<1,2,3,4>", 46, {160}, layer<pm::DilationModule<1, 2, 3, 4>>},
      {"stage", 46, {256, 32, 15}, stage},
      {"Residual<ConvReLU<64,3>>", 92, {64}, layer<pm::Residual<pm::ConvReLU<64, 3>>>},
      {"ResidualBlock<64>", 92, {64}, layer<pm::ResidualBlock<64>>},
      {"Bottleneck<64>", 92, {64}, layer<HourglassBlock>},
      {"Hourglass<3,Bottleneck<64>>", 96, {64}, layer<pm::Hourglass<3, HourglassBlock>>},  // 368 x 368 does not divide
      {"SeparableConv<64>", 92, {64}, layer<pm::SeparableConv<64>>},
      {"InvertedResidual<24>,stride_2", 184, {16}, layer<pm::InvertedResidual<24, pm::SeparableOptions{.stride = 2}>>},
      {"InvertedResidual<24>", 92, {24}, layer<pm::InvertedResidual<24>>},
      {"InvertedResidual<64>", 23, {64}, layer<pm::InvertedResidual<64>>},
  };
}

}  // namespace

int main(int argument_count, char** arguments) {
  for (const Part& part : parts()) workload::register_part(part);
  return workload::run_registered(argument_count, arguments);
}
