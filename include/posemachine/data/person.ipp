// The definitions of data/person.hpp.
#pragma once

#include <posemachine/data/person.hpp>

#include <algorithm>
#include <limits>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE std::optional<Box> labelled_joints_box(std::span<const Joint> joints) {
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

POSEMACHINE_INLINE std::optional<Box> person_box(const Person& person) {
  if (person.box) return person.box;
  std::optional<Box> box = detail::labelled_joints_box(person.joints);
  if (!box) return std::nullopt;
  constexpr double growth = 1.15;
  const Point middle = centre(*box);
  return Box{middle.x - growth * box->width / 2, middle.y - growth * box->height / 2, growth * box->width,
             growth * box->height};
}

POSEMACHINE_INLINE void mark_outside(std::span<Joint> joints, int width, int height) {
  for (Joint& joint : joints) {
    if (!joint.is_labelled()) continue;
    const bool inside = joint.position.x >= -0.5 && joint.position.x < width - 0.5 && joint.position.y >= -0.5 &&
                        joint.position.y < height - 0.5;
    if (!inside) joint.state = JointState::outside;
  }
}

POSEMACHINE_INLINE std::optional<Box> person_box(const Person& person, int width, int height) {
  Person marked = person;
  mark_outside(marked.joints, width, height);
  return person_box(marked);
}

POSEMACHINE_INLINE std::optional<Box> box_in_image(const Person& person, int width, int height) {
  if (person.framing != Framing::box) return std::nullopt;
  const std::optional<Box> box = person_box(person, width, height);
  const bool meets = box && box->width > 0 && box->height > 0 && box->x < width && box->y < height &&
                     box->x + box->width > 0 && box->y + box->height > 0;
  return meets ? box : std::nullopt;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
