// The definitions of pose/formats/coco.hpp.
#pragma once

#include <posemachine/pose/formats/coco.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE std::string coco_results(const ImagePoses& image, const JointSet&) {
  std::string text;
  for (const Pose& pose : poses_of_people(image)) {
    Json entry;
    entry["image_id"] = image.id;
    entry["category_id"] = 1;  // COCO's person
    entry["keypoints"] = keypoint_triples(pose);
    entry["score"] = rounded_score(mean_score(pose));
    text += (text.empty() ? "\n" : ",\n") + json_text(entry);
  }
  return text;
}

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
