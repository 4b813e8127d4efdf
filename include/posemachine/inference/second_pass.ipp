// The definitions of inference/second_pass.hpp.
#pragma once

#include <posemachine/inference/second_pass.hpp>

#include <posemachine/data/person.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE std::optional<Box> second_pass_box(std::span<const Keypoint> keypoints, const SecondPass& options) {
  Person person;
  for (const Keypoint& keypoint : keypoints) {
    if (!keypoint.found() || keypoint.score < options.min_score) continue;
    person.joints.push_back({keypoint.position, JointState::visible});
  }
  if (static_cast<int>(person.joints.size()) < options.min_joints) return std::nullopt;
  return person_box(person);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
