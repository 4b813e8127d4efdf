// Networks by name, for tools.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/networks/cpm.hpp>
#include <posemachine/networks/scaling_dilation.hpp>
#include <posemachine/networks/scaling_dilation_fine.hpp>
#include <posemachine/networks/separable_residual.hpp>
#include <posemachine/networks/stacked_hourglass.hpp>

#include <array>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A network a tool can build by its name.
struct NamedNetwork {
  std::string_view name;
  Graph (*build)() = nullptr;
  Size input;                  // the size it is made for, in pixels
  double sigma_px = 7;         // of its target heatmaps, in input pixels
  double centre_sigma_px = 0;  // of the Gaussian of its input "centre", in input pixels; 0: it has no such input
  std::string_view decoder = "quarter_offset";  // of its heatmaps, a row of DecoderKinds
};

/// All networks of the library. Each is also a type.
inline constexpr std::array networks{
    NamedNetwork{"scaling-dilation", [] { return graph_of<ScalingDilation<>>(); }, {368, 368}, 7},
    NamedNetwork{"scaling-dilation-small", [] { return graph_of<ScalingDilationSmall>(); }, {128, 128}, 7},
    NamedNetwork{"scaling-dilation-fine", [] { return graph_of<ScalingDilationFine<>>(); }, {128, 128}, 6, 0, "taylor"},
    NamedNetwork{"cpm-3", [] { return graph_of<CPM<CPMOptions{.stages = 3}>>(); }, {368, 368}, 7, 21},
    NamedNetwork{"cpm-6", [] { return graph_of<CPM<CPMOptions{.stages = 6}>>(); }, {368, 368}, 7, 21},
    NamedNetwork{"stacked-hourglass-small", [] { return graph_of<StackedHourglass<>>(); }, {128, 128}, 4},
    NamedNetwork{"separable-residual", [] { return graph_of<SeparableResidual<>>(); }, {128, 128}, 4},
};

/// The network of that name, or null.
constexpr const NamedNetwork* find_network(std::string_view name) {
  for (const NamedNetwork& network : networks) {
    if (network.name == name) return &network;
  }
  return nullptr;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
