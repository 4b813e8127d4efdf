// The definitions of model/named_network.hpp.
#pragma once

#include <posemachine/model/named_network.hpp>

#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE ModelSpec spec_of(const NamedNetwork& network) {
  ModelSpec spec;
  spec.input_height = network.input.height;
  spec.input_width = network.input.width;
  spec.sigma_px = network.sigma_px;
  spec.decoder.kind = network.decoder;
  if (network.centre_sigma_px > 0) {
    spec.inputs.push_back({"centre", InputRole::centre_gaussian, network.centre_sigma_px});
  }
  return spec;
}

POSEMACHINE_INLINE NetworkDescription description_of(const NamedNetwork& network) {
  return {std::string(network.name), network.build(), spec_of(network)};
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
