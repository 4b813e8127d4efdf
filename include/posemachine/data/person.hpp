// One annotated person in one photograph: what every data set's reader returns.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/pose/pose.hpp>

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Where a person is in the photograph, for training crops.
enum class Framing {
  image,         // the photograph is cut around the person (LSP): the whole image, as in evaluation
  labelled_box,  // anywhere (LSPET): around the box of the labelled joints
};

/// An annotated person. Joints are in pixels of the original image, the centre of its first pixel being (0, 0), and are
/// unlabelled, occluded or visible; `outside` is known only once the image's size is, see mark_outside. A joint of
/// weight 0 is unlabelled, whatever its state.
struct Person {
  std::filesystem::path image;
  std::string dataset;        // "lsp", "lspet"
  int number = 0;             // of the image within its data set, from 1
  std::vector<Joint> joints;  // in the order of the data set's joint set
  Framing framing = Framing::image;
};

/// Gives labelled joints that lie beyond the image's edges the state `outside`.
/// Shapes: width, height: the image's, in pixels; pixel (0, 0) covers -0.5 to 0.5.
inline void mark_outside(std::span<Joint> joints, int width, int height) {
  for (Joint& joint : joints) {
    if (!joint.is_labelled()) continue;
    const bool inside = joint.position.x >= -0.5 && joint.position.x < width - 0.5 && joint.position.y >= -0.5 &&
                        joint.position.y < height - 0.5;
    if (!inside) joint.state = JointState::outside;
  }
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
