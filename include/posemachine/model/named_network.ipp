// The definitions of model/named_network.hpp.
#pragma once

#include <posemachine/model/named_network.hpp>

#include <string>

namespace posemachine::inline POSEMACHINE_BUILD {

POSEMACHINE_INLINE Meaning meaning_of(const NamedNetwork& network) {
  Meaning meaning;
  meaning.input_height = network.input.height;
  meaning.input_width = network.input.width;
  meaning.sigma_px = network.sigma_px;
  meaning.decoder.kind = network.decoder;
  if (network.centre_sigma_px > 0) {
    meaning.inputs.push_back({"centre", InputRole::centre_gaussian, network.centre_sigma_px});
  }
  return meaning;
}

POSEMACHINE_INLINE NetworkDescription description_of(const NamedNetwork& network) {
  return {std::string(network.name), network.build(), meaning_of(network)};
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
