// refined_joints: joints where the offsets around their peaks say that they are.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/pose/joint_offsets.hpp>
#include <posemachine/pose/output_decoders/output_decoder.hpp>
#include <posemachine/pose/pose.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Each joint that was found, where the 3 x 3 cells around it say on average that it is: every cell's centre plus its
/// offset, which is in units of joint_offset_radius_cells.
/// Shapes: a keypoint per joint with the joint's name and score, in pixels of the image and never outside it; missing
/// ones stay missing. Source: Papandreou et al. 2018, "PersonLab", 3.1 (votes of offsets).
NamedKeypoints refined_joints(const OutputMaps& offsets);

inline const OutputDecoder refined_joints_decoder{
    .name = "refined_joints",
    .does = "of joint_offsets: each joint where the cells around it say it is, a keypoint per joint",
    .decode = [](const OutputMaps& offsets) -> Decoded { return refined_joints(offsets); },
    .channels = joint_offset_channels};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/output_decoders/refined_joints.ipp>
#endif
