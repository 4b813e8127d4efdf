// Joint offsets: in the cells around each joint, the way from the cell's centre to it.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose.hpp>

#include <span>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// How far from a joint its offsets reach, in cells, and the unit of their length: so they are from -1 to 1.
inline constexpr double joint_offset_radius_cells = 4;

/// Two per joint, in the order of the set: x, then y.
inline int joint_offset_channels(const JointSet& set) { return 2 * static_cast<int>(set.joints.size()); }

/// Draws one person's joint offsets: in cells whose centre is at most joint_offset_radius_cells from a joint, the
/// vector from that centre to the joint, in units of the radius. Cells beyond count like others, with a target of 0:
/// weights are per channel. Both channels weigh what the joint does; those of an unlabelled joint weigh 0. Joints
/// outside the image have a position as others do.
/// Shapes: joints in input pixels; maps (2 joints, map.height, map.width), values -1 to 1; weights (2 joints), 0 to 1.
/// Errors: as draw_limb_fields. Source: Papandreou et al. 2018, "PersonLab", 3.1 (short-range offsets).
void draw_joint_offsets(std::span<const Joint> joints, const JointSet& set, Size map, double stride,
                        std::span<float> maps, std::span<float> weights);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/joint_offsets.ipp>
#endif
