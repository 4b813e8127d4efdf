// match_joints: poses of one joint set in the order of another, by the joints' names.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/pose/joint_names.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose.hpp>

#include <span>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// For each joint of `to` the joint of `from` that has its name, -1 where none has: "RKnee" and "right_knee" are the
/// same (sided_name()). Errors: UsageError where the sets have no joint in common.
std::vector<int> match_joints(const JointSet& from, const JointSet& to);

/// The pose with these of its keypoints; -1 is a missing one. Shapes: matched as match_joints() gives it.
Pose with_keypoints(const Pose& pose, std::span<const int> matched);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/match_joints.ipp>
#endif
