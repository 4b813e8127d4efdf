// Networks by name, for tools.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/networks/scaling_dilation.hpp>

#include <array>
#include <string_view>

namespace posemachine::inline POSEMACHINE_BUILD {

/// A network a tool can build by its name.
struct NamedNetwork {
  std::string_view name;
  Graph (*build)() = nullptr;
  Size input;             // the size it is made for, in pixels
  double sigma_px = 7;    // of its target heatmaps, in input pixels
};

/// All networks of the library. Each is also a type.
inline constexpr std::array networks{
    NamedNetwork{"scaling-dilation", [] { return graph_of<ScalingDilation<>>(); }, {368, 368}, 7},
    NamedNetwork{"scaling-dilation-small", [] { return graph_of<ScalingDilationSmall>(); }, {128, 128}, 7},
};

/// The network of that name, or null.
constexpr const NamedNetwork* find_network(std::string_view name) {
  for (const NamedNetwork& network : networks) {
    if (network.name == name) return &network;
  }
  return nullptr;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
