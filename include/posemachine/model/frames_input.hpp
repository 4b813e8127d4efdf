// with_frames: a network's description for consecutive frames of a video.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/passes/set_input_channels.hpp>
#include <posemachine/model/network_description.hpp>
#include <posemachine/pose/model_spec.hpp>

#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The same network with the channels of the image input that its spec asks for.
/// Errors: ModelError where a layer depends on the channels it had.
inline NetworkDescription with_channels_of_spec(NetworkDescription network) {
  for (const InputSpec& input : network.spec.inputs) {
    if (input.role == InputRole::image) set_input_channels(network.graph, input.name, input_channels(network.spec));
  }
  return network;
}

/// The same network fed several frames, see ModelSpec::frames. Goes together with with_grey_input.
/// Errors: ModelError for frames that no spec can have, or where a layer depends on the channels it had.
inline NetworkDescription with_frames(NetworkDescription network, std::vector<int> frames) {
  check_frames<ModelError>(frames, "with_frames: frames");
  network.spec.frames = std::move(frames);
  return with_channels_of_spec(std::move(network));
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
