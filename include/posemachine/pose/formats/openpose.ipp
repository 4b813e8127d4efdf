// The definitions of pose/formats/openpose.hpp.
#pragma once

#include <posemachine/pose/formats/openpose.hpp>

#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE std::string openpose_people(const ImagePoses& image, const JointSet&) {
  Json people = Json::array();
  for (const Pose& pose : poses_of_people(image)) {
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

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
