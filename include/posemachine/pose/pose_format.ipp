// The definitions of pose/pose_format.hpp.
#pragma once

#include <posemachine/pose/pose_format.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE std::string PoseWriter::next(const ImagePoses& image) {
  for (const Pose& pose : image.poses) {
    if (pose.keypoints.size() == joints_.joints.size()) continue;
    fail<UsageError>({.where = "PoseWriter: keypoints of " + image.image,
                      .expected = std::to_string(joints_.joints.size()) + " for the joint set " + joints_.name,
                      .got = std::to_string(pose.keypoints.size())});
  }
  std::string text = format_.text(image, joints_);
  if (text.empty()) return text;
  if (std::exchange(separate_, true)) text.insert(0, format_.separator);
  return text;
}

POSEMACHINE_INLINE std::string write_poses(const PoseFormat& format, const ImagePoses& image, const JointSet& joints) {
  PoseWriter writer(format, joints);
  return writer.begin() + writer.next(image) + writer.end();
}

namespace detail {

POSEMACHINE_INLINE Json keypoint_triples(const Pose& pose) {
  Json numbers = Json::array();
  for (const Keypoint& keypoint : pose.keypoints) {
    const bool found = keypoint.found();
    numbers.push_back(found ? rounded_position(keypoint.position.x) : 0.0);
    numbers.push_back(found ? rounded_position(keypoint.position.y) : 0.0);
    numbers.push_back(found ? rounded_score(keypoint.score) : 0.0);
  }
  return numbers;
}

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
