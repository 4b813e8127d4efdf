// with_grey_input: a network's description for pictures of one channel.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/model/frames_input.hpp>
#include <posemachine/model/network_description.hpp>
#include <posemachine/pose/model_spec.hpp>

#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The same network with an image of one channel, 8 or 16 bits a sample, and that bit depth's default normalisation.
/// Errors: ModelError where a layer depends on the channels it had.
inline NetworkDescription with_grey_input(NetworkDescription network, int bit_depth = 8) {
  network.spec.colour_order = "grey";
  network.spec.bit_depth = bit_depth;
  network.spec.normalisation = default_normalisation(bit_depth);
  return with_channels_of_spec(std::move(network));
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
