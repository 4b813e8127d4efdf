// Poses as a table for people.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/pose/pose_format.hpp>

#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

std::string text_of_poses(const ImagePoses& image, const JointSet& joints);

}  // namespace detail

/// A table per person. Shapes: positions in pixels to one decimal, scores to two.
inline constexpr PoseFormat text_format{.name = "text",
                                        .does = "a table per person, to be read",
                                        .file_ending = ".txt",
                                        .for_people = true,
                                        .text = detail::text_of_poses};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/formats/text.ipp>
#endif
