// Poses as OpenPose's --write_json leaves them: a file per image.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/model/joint_set.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/pose/pose_format.hpp>

#include <string>
#include <utility>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

inline std::string openpose_people(const ImagePoses& image, const JointSet&) {
  Json people = Json::array();
  for (const Pose& pose : image.poses) {
    Json person;
    person["person_id"] = {-1};  // nobody is tracked
    person["pose_keypoints_2d"] = keypoint_triples(pose);
    // Programs that read OpenPose's files look these up without asking whether they are there.
    for (const char* absent :
         {"face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d", "pose_keypoints_3d",
          "face_keypoints_3d", "hand_left_keypoints_3d", "hand_right_keypoints_3d"}) {
      person[absent] = Json::array();
    }
    people.push_back(std::move(person));
  }
  return json_text({{"version", 1.3}, {"people", std::move(people)}}) + "\n";
}

}  // namespace detail

/// {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": [x, y, score, ...], ...}]}.
/// Shapes: three numbers per joint, in the order of the joint set, which is none of OpenPose's own; positions in
/// pixels, rounded to 1/1024; 0, 0, 0 for a missing keypoint. Source: OpenPose 1.7, doc/02_output.md.
inline constexpr PoseFormat openpose_format{.name = "openpose",
                                            .does = "OpenPose's JSON: a file per image, STEM_keypoints.json",
                                            .file_ending = "_keypoints.json",
                                            .one_image = true,
                                            .text = detail::openpose_people};

}  // namespace posemachine::inline POSEMACHINE_BUILD
