// match_joints: poses of one joint set in the order of another, by the joints' names.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/model/joint_names.hpp>
#include <posemachine/model/joint_set.hpp>
#include <posemachine/pose/pose.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// For each joint of `to` the joint of `from` that has its name, -1 where none has: "RKnee" and "right_knee" are the
/// same (sided_name()). Errors: UsageError where the sets have no joint in common.
inline std::vector<int> match_joints(const JointSet& from, const JointSet& to) {
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

/// The pose with these of its keypoints; -1 is a missing one. Shapes: matched as match_joints() gives it.
inline Pose with_keypoints(const Pose& pose, std::span<const int> matched) {
  Pose changed{pose.box, {}};
  for (const int joint : matched) {
    changed.keypoints.push_back(joint < 0 ? Keypoint{} : pose.keypoints[static_cast<std::size_t>(joint)]);
  }
  return changed;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
