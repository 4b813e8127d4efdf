// The library's networks by name, with what their inputs and outputs mean.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/model/meaning.hpp>
#include <posemachine/model/network_description.hpp>
#include <posemachine/networks/registry.hpp>

#include <string>

namespace posemachine::inline POSEMACHINE_BUILD {

/// What the inputs and outputs of a network by name mean, before anybody chooses otherwise: the joints of LSP, the
/// network's own input size, its targets' sigma, and its centre map where it has one.
inline Meaning meaning_of(const NamedNetwork& network) {
  Meaning meaning;
  meaning.input_height = network.input.height;
  meaning.input_width = network.input.width;
  meaning.sigma_px = network.sigma_px;
  if (network.centre_sigma_px > 0) {
    meaning.inputs.push_back({"centre", InputRole::centre_gaussian, network.centre_sigma_px});
  }
  return meaning;
}

inline NetworkDescription description_of(const NamedNetwork& network) {
  return {std::string(network.name), network.build(), meaning_of(network)};
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
