// Poses as OpenPose's --write_json leaves them: a file per image.
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

std::string openpose_people(const ImagePoses& image, const JointSet&);

}  // namespace detail

/// {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": [x, y, score, ...], ...}]}.
/// Shapes: three numbers per joint, in the order of the joint set, which is none of OpenPose's own; positions in
/// pixels, rounded to 1/1024; 0, 0, 0 for a missing keypoint. Source: OpenPose 1.7, doc/02_output.md.
inline constexpr PoseFormat openpose_format{.name = "openpose",
                                            .does = "OpenPose's JSON: a file per image, STEM_keypoints.json",
                                            .file_ending = "_keypoints.json",
                                            .one_image = true,
                                            .text = detail::openpose_people};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/formats/openpose.ipp>
#endif
