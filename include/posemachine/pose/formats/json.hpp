// Poses as our own JSON: one object, or one per line.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/model/joint_set.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/pose/pose_format.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace posemachine::inline POSEMACHINE_BUILD {

/// {"image", "width", "height", "poses": [{"box", "score", "keypoints": [{"name", "x", "y", "score"}]}]}; a pose's
/// score is the mean of all its joints. Shapes: boxes x, y, width, height; positions in pixels, rounded to 1/1024;
/// scores 0 to 1, rounded to 1/65536. x and y of a missing keypoint are null.
inline Json to_json(const ImagePoses& image, const JointSet& joints) {
  Json json;
  json["image"] = image.image;
  json["width"] = image.width;
  json["height"] = image.height;
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

inline std::string json_line_of_poses(const ImagePoses& image, const JointSet& joints) {
  return json_text(to_json(image, joints)) + "\n";
}

}  // namespace detail

inline constexpr PoseFormat json_format{
    .name = "json",
    .does = "one object: image, width, height, poses with box, score and keypoints (name, x, y, score)",
    .file_ending = ".json",
    .one_image = true,
    .text = detail::json_line_of_poses};

inline constexpr PoseFormat ndjson_format{.name = "ndjson",
                                          .does = "the same object, one line per image",
                                          .file_ending = ".ndjson",
                                          .text = detail::json_line_of_poses};

}  // namespace posemachine::inline POSEMACHINE_BUILD
