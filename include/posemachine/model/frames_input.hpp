// with_frames: a network's description for consecutive frames of a video.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/passes/set_input_channels.hpp>
#include <posemachine/model/meaning.hpp>
#include <posemachine/model/network_description.hpp>

#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// The same network with the channels of the image input that its meaning asks for.
/// Errors: ModelError where a layer depends on the channels it had.
inline NetworkDescription with_channels_of_meaning(NetworkDescription network) {
  for (const InputMeaning& input : network.meaning.inputs) {
    if (input.role == InputRole::image) set_input_channels(network.graph, input.name, input_channels(network.meaning));
  }
  return network;
}

/// The same network fed several frames, see Meaning::frames. Goes together with with_grey_input.
/// Errors: ModelError for frames that no meaning can have, or where a layer depends on the channels it had.
inline NetworkDescription with_frames(NetworkDescription network, std::vector<int> frames) {
  check_frames<ModelError>(frames, "with_frames: frames");
  network.meaning.frames = std::move(frames);
  return with_channels_of_meaning(std::move(network));
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
