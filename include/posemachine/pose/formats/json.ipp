// The definitions of pose/formats/json.hpp.
#pragma once

#include <posemachine/pose/formats/json.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE Json keypoint_to_json(const std::string& name, const Keypoint& keypoint) {
  Json entry;
  entry["name"] = name;
  entry["x"] = keypoint.found() ? Json(rounded_position(keypoint.position.x)) : Json();
  entry["y"] = keypoint.found() ? Json(rounded_position(keypoint.position.y)) : Json();
  entry["score"] = rounded_score(keypoint.score);
  return entry;
}

POSEMACHINE_INLINE Json output_to_json(const DecodedOutput& output) {
  Json json{{"decoder", output.decoder}};
  if (const NamedNumbers* const numbers = output.value.find<NamedNumbers>()) {
    json["numbers"] = Json::object();
    for (const auto& [name, number] : *numbers) {
      json["numbers"][name] = std::isfinite(number) ? Json(rounded_score(number)) : Json();
    }
  }
  if (const NamedKeypoints* const keypoints = output.value.find<NamedKeypoints>()) {
    json["keypoints"] = Json::array();
    for (const auto& [name, keypoint] : *keypoints) json["keypoints"].push_back(keypoint_to_json(name, keypoint));
  }
  return json;
}

}  // namespace detail

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
      keypoints.push_back(detail::keypoint_to_json(joints.joints[j], pose.keypoints[j]));
    }
    Json entry;
    entry["box"] = {pose.box.x, pose.box.y, pose.box.width, pose.box.height};
    entry["score"] = detail::rounded_score(mean_score(pose));
    entry["keypoints"] = std::move(keypoints);
    for (const DecodedOutput& output : pose.outputs) entry["outputs"][output.name] = detail::output_to_json(output);
    json["poses"].push_back(std::move(entry));
  }
  return json;
}

namespace detail {

POSEMACHINE_INLINE std::string json_line_of_poses(const ImagePoses& image, const JointSet& joints) {
  return json_text(to_json(image, joints)) + "\n";
}

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
