// One annotated person in one photograph: what every data set's reader returns.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/pose.hpp>

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Where a person is in the photograph, for training crops.
enum class Framing {
  image,         // the photograph is cut around the person (LSP): the whole image, as in evaluation
  labelled_box,  // anywhere (LSPET): around the box of the labelled joints
  box,           // anywhere, perhaps among others: around person_box(), in training as in evaluation
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
  std::optional<Box> box{};  // of the person, where the annotation has one; pixels from the image's left top edge
  std::optional<double> head_length{};  // pixels, as PCKh measures by it: 0.6 of the head box's diagonal
  std::optional<double> area{};         // of the person's outline in pixels, as OKS measures by it
};

namespace detail {

// The box of the labelled joints within the image, from the image's left top edge; none of fewer than two joints, or of
// such as are all at one place.
std::optional<Box> labelled_joints_box(std::span<const Joint> joints);

}  // namespace detail

/// Where a person framed by a box is: the annotated box; without one, the labelled joints' box, 1.15 times as large, as
/// people are larger than their joints. None where neither gives a size. Pixels from the image's left top edge.
std::optional<Box> person_box(const Person& person);

/// Gives labelled joints that lie beyond the image's edges the state `outside`.
/// Shapes: width, height: the image's, in pixels; pixel (0, 0) covers -0.5 to 0.5.
void mark_outside(std::span<Joint> joints, int width, int height);

/// person_box() with the joints that lie within an image of this size: what a person's errors are measured by.
std::optional<Box> person_box(const Person& person, int width, int height);

/// Where a person framed by a box is looked for in an image of this size, in training as in evaluation. None where the
/// whole image is seen: people framed by it, and boxes that do not meet it.
std::optional<Box> box_in_image(const Person& person, int width, int height);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/data/person.ipp>
#endif
