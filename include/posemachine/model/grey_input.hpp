// with_grey_input: a network's description for pictures of one channel.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/model/frames_input.hpp>
#include <posemachine/model/meaning.hpp>
#include <posemachine/model/network_description.hpp>

#include <utility>

namespace posemachine::inline POSEMACHINE_BUILD {

/// The same network with an image of one channel, 8 or 16 bits a sample, and that bit depth's default normalisation.
/// Errors: ModelError where a layer depends on the channels it had.
inline NetworkDescription with_grey_input(NetworkDescription network, int bit_depth = 8) {
  network.meaning.colour_order = "grey";
  network.meaning.bit_depth = bit_depth;
  network.meaning.normalisation = default_normalisation(bit_depth);
  return with_channels_of_meaning(std::move(network));
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
