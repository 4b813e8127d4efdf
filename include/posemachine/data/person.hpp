// One annotated person in one photograph: what every data set's reader returns.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/pose.hpp>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

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
inline std::optional<Box> labelled_joints_box(std::span<const Joint> joints) {
  double left = std::numeric_limits<double>::infinity(), top = left, right = -left, bottom = -left;
  for (const Joint& joint : joints) {
    if (!joint.is_labelled() || joint.state == JointState::outside) continue;
    left = std::min(left, joint.position.x);
    right = std::max(right, joint.position.x);
    top = std::min(top, joint.position.y);
    bottom = std::max(bottom, joint.position.y);
  }
  if (!(std::max(right - left, bottom - top) >= 2)) return std::nullopt;
  return Box{left + 0.5, top + 0.5, right - left, bottom - top};
}

}  // namespace detail

/// Where a person framed by a box is: the annotated box; without one, the labelled joints' box, 1.15 times as large, as
/// people are larger than their joints. None where neither gives a size. Pixels from the image's left top edge.
inline std::optional<Box> person_box(const Person& person) {
  if (person.box) return person.box;
  std::optional<Box> box = detail::labelled_joints_box(person.joints);
  if (!box) return std::nullopt;
  constexpr double growth = 1.15;
  const Point middle = centre(*box);
  return Box{middle.x - growth * box->width / 2, middle.y - growth * box->height / 2, growth * box->width,
             growth * box->height};
}

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

/// person_box() with the joints that lie within an image of this size: what a person's errors are measured by.
inline std::optional<Box> person_box(const Person& person, int width, int height) {
  Person marked = person;
  mark_outside(marked.joints, width, height);
  return person_box(marked);
}

/// Where a person framed by a box is looked for in an image of this size, in training as in evaluation. None where the
/// whole image is seen: people framed by it, and boxes that do not meet it.
inline std::optional<Box> box_in_image(const Person& person, int width, int height) {
  if (person.framing != Framing::box) return std::nullopt;
  const std::optional<Box> box = person_box(person, width, height);
  const bool meets = box && box->width > 0 && box->height > 0 && box->x < width && box->y < height &&
                     box->x + box->width > 0 && box->y + box->height > 0;
  return meets ? box : std::nullopt;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
