// Where a second pass looks: around the joints that the first one found.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/estimate.hpp>
#include <posemachine/pose/pose.hpp>

#include <optional>
#include <span>

namespace posemachine::inline POSEMACHINE_BUILD {

/// The box of the joints whose scores reach SecondPass::min_score, 1.15 times as large, as person_box() makes it of
/// annotated ones. None where fewer than SecondPass::min_joints do, or where all lie within 2 pixels.
/// Shapes: keypoints in pixels of the image; the box from the image's left top edge.
inline std::optional<Box> second_pass_box(std::span<const Keypoint> keypoints, const SecondPass& options) {
  Person person;
  for (const Keypoint& keypoint : keypoints) {
    if (!keypoint.found() || keypoint.score < options.min_score) continue;
    person.joints.push_back({keypoint.position, JointState::visible});
  }
  if (static_cast<int>(person.joints.size()) < options.min_joints) return std::nullopt;
  return person_box(person);
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
