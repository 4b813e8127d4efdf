// take_weights: a model begun with what fits of another one's weights.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/safetensors.hpp>

#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A model, and which of its tensors another one gave.
struct TakenWeights {
  Model model;
  std::vector<std::string> taken{};  // names, in the order of the parameters
  std::vector<std::string> left{};   // ... of those that keep the values they had, and why: "Conv_3.bias (...)"
};

/// Takes every tensor of `source` that has the name and shape of one of `model`, batch norm's statistics included: how
/// fine-tuning begins. Where the two predict other joints, the last layer before each output is left as it is, even
/// if its shape fits. The convolutions that read the image are carried over, where both are normalised alike:
/// - between colours and grey so that grey pictures give what they gave: from colours to grey the sum over the three
///   channels, from grey to colours a third of it for each;
/// - between other frames so that a video in which nothing moves gives what it gave: frames that both have keep their
///   weights, new ones begin with zeros, those of frames that are gone are added to frame 0's. A network of one frame
///   that becomes one of several gives the same poses as before, whatever moves.
/// Errors: UsageError where nothing fits.
TakenWeights take_weights(const Model& model, const Model& source);

/// The same of a safetensors file that is no model file, as other programs write them: tensors of f32, bf16 or f16 by
/// their names alone; of convolutions on the image whose shape is another, three channels are colours and one is grey,
/// of frame 0. Errors: UsageError where nothing fits.
TakenWeights take_weights(const Model& model, const TensorFile& source, const std::string& where);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/model/take_weights.ipp>
#endif
