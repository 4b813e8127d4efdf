// The definitions of pose/match_joints.hpp.
#pragma once

#include <posemachine/pose/match_joints.hpp>

#include <algorithm>
#include <cstddef>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE std::vector<int> match_joints(const JointSet& from, const JointSet& to) {
  std::vector<SidedName> names;
  for (const std::string& name : from.joints) names.push_back(sided_name(name));
  std::vector<int> matched;
  for (const std::string& name : to.joints) {
    const SidedName wanted = sided_name(name);
    const auto found = std::find_if(names.begin(), names.end(), [&](const SidedName& each) {
      return each.side == wanted.side && each.rest == wanted.rest;
    });
    matched.push_back(found == names.end() ? -1 : static_cast<int>(found - names.begin()));
  }
  if (std::all_of(matched.begin(), matched.end(), [](int joint) { return joint < 0; })) {
    fail<UsageError>({.where = "joint set " + to.name,
                      .expected = "a joint of the model's, such as " + from.joints.front(),
                      .got = to.joints.front() + " and " + std::to_string(to.joints.size() - 1) + " others"});
  }
  return matched;
}

POSEMACHINE_INLINE Pose with_keypoints(const Pose& pose, std::span<const int> matched) {
  Pose changed{pose.box, {}, pose.outputs};
  for (const int joint : matched) {
    changed.keypoints.push_back(joint < 0 ? Keypoint{} : pose.keypoints[static_cast<std::size_t>(joint)]);
  }
  return changed;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
