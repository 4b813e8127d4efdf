// Poses as COCO's keypoint results, the file that pycocotools and evaluation servers read.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/pose/pose_format.hpp>

#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// A person per line. Without "bbox": pycocotools takes a result's area from its keypoints only where there is none.
std::string coco_results(const ImagePoses& image, const JointSet&);

}  // namespace detail

/// A list of {"image_id", "category_id": 1, "keypoints": [x, y, score, ...], "score"}, one entry per person.
/// Shapes: three numbers per joint, in the order of the joint set; positions in pixels, the centre of the first one
/// being (0, 0), rounded to 1/1024; 0, 0, 0 for a missing keypoint. The person's score is the mean over all joints.
/// Source: COCO's results format, cocodataset.org.
inline constexpr PoseFormat coco_format{.name = "coco",
                                        .does = "COCO's keypoint results: one list with an entry per person",
                                        .file_ending = ".json",
                                        .needs_id = true,
                                        .begin = [](const JointSet&) { return std::string("["); },
                                        .text = detail::coco_results,
                                        .separator = ",",
                                        .end = "\n]\n"};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/formats/coco.ipp>
#endif
