// Poses as our own JSON: one object, or one per line.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/pose/pose_format.hpp>

#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// {"image", "width", "height", "poses": [{"box", "score", "keypoints": [{"name", "x", "y", "score"}]}]}; a pose's
/// score is the mean of all its joints. Shapes: boxes x, y, width, height; positions in pixels, rounded to 1/1024;
/// scores 0 to 1, rounded to 1/65536. x and y of a missing keypoint are null. Before the poses
/// stands "person", true or false, where image.shows_person says it. A pose with outputs has "outputs", an object with
/// each by its name: {"decoder", "numbers": {name: number}} of NamedNumbers, null where it is not finite, {"decoder",
/// "keypoints": [{"name", "x", "y", "score"}]} of NamedKeypoints, {"decoder"} alone of any other type.
Json to_json(const ImagePoses& image, const JointSet& joints);

namespace detail {

std::string json_line_of_poses(const ImagePoses& image, const JointSet& joints);

}  // namespace detail

inline constexpr PoseFormat json_format{
    .name = "json",
    .does =
        "one object: image, width, height, poses with box, score, keypoints (name, x, y, score) and decoded outputs",
    .file_ending = ".json",
    .one_image = true,
    .text = detail::json_line_of_poses};

inline constexpr PoseFormat ndjson_format{.name = "ndjson",
                                          .does = "the same object, one line per image",
                                          .file_ending = ".ndjson",
                                          .text = detail::json_line_of_poses};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/formats/json.ipp>
#endif
