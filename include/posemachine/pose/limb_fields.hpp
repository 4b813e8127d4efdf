// Limb fields: a unit vector along each limb, in the cells around it (part affinity fields).
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose.hpp>

#include <span>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// How far from a limb its field reaches, in cells: at least one cell's centre lies that near to any point of a map.
inline constexpr double limb_half_width_cells = 1;

/// Two per limb of JointSet::limbs, in their order: x, then y.
inline int limb_field_channels(const JointSet& set) { return 2 * static_cast<int>(set.limbs.size()); }

/// Draws one person's limb fields: in cells whose centre is at most limb_half_width_cells from the segment between a
/// limb's joints, the unit vector from the limb's first joint to its second, elsewhere 0. Both channels weigh what the
/// lighter end does; a limb with an unlabelled end, or with both on one point, has weight 0. Joints outside the image
/// have a position as others do.
/// Shapes: joints in input pixels; maps (2 limbs, map.height, map.width), values -1 to 1; weights (2 limbs), 0 to 1.
/// Errors: UsageError for another number of joints or channels; DataError for a labelled joint that is nowhere.
/// Source: Cao et al. 2017, "Realtime Multi-Person 2D Pose Estimation using Part Affinity Fields", 2.3, for one person;
/// the ends are round, so that short limbs have cells, too.
void draw_limb_fields(std::span<const Joint> joints, const JointSet& set, Size map, double stride,
                      std::span<float> maps, std::span<float> weights);

namespace detail {

// Of maps per joint or limb that are drawn from labels. Errors: as draw_limb_fields.
void check_drawing(const char* what, std::span<const Joint> joints, const JointSet& set, int channels, Size map,
                   std::span<float> maps, std::span<float> weights);

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/limb_fields.ipp>
#endif
