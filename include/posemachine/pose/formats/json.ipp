// The definitions of pose/formats/json.hpp.
#pragma once

#include <posemachine/pose/formats/json.hpp>

#include <cstddef>
#include <utility>

namespace posemachine::inline POSEMACHINE_BUILD {

POSEMACHINE_INLINE Json to_json(const ImagePoses& image, const JointSet& joints) {
  Json json;
  json["image"] = image.image;
  json["width"] = image.width;
  json["height"] = image.height;
  if (image.shows_person) json["person"] = *image.shows_person;
  json["poses"] = Json::array();
  for (const Pose& pose : image.poses) {
    Json keypoints = Json::array();
    for (std::size_t j = 0; j < pose.keypoints.size(); ++j) {
      const Keypoint& keypoint = pose.keypoints[j];
      Json entry;
      entry["name"] = joints.joints[j];
      entry["x"] = keypoint.found() ? Json(detail::rounded_position(keypoint.position.x)) : Json();
      entry["y"] = keypoint.found() ? Json(detail::rounded_position(keypoint.position.y)) : Json();
      entry["score"] = detail::rounded_score(keypoint.score);
      keypoints.push_back(std::move(entry));
    }
    Json entry;
    entry["box"] = {pose.box.x, pose.box.y, pose.box.width, pose.box.height};
    entry["score"] = detail::rounded_score(mean_score(pose));
    entry["keypoints"] = std::move(keypoints);
    json["poses"].push_back(std::move(entry));
  }
  return json;
}

namespace detail {

POSEMACHINE_INLINE std::string json_line_of_poses(const ImagePoses& image, const JointSet& joints) {
  return json_text(to_json(image, joints)) + "\n";
}

}  // namespace detail

}  // namespace posemachine::inline POSEMACHINE_BUILD
