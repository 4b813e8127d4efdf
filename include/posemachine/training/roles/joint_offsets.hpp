// The role joint_offsets: vectors from cells to the joints near them.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/data/output_targets.hpp>
#include <posemachine/pose/joint_offsets.hpp>
#include <posemachine/training/roles/output_role.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Targets as draw_joint_offsets.
inline const OutputRole joint_offsets_role{
    .name = "joint_offsets",
    .does = "2 channels per joint: the vector from a cell to it, within 4 cells and in units of 4 cells",
    .draw =
        [](const TargetSample& sample, const TargetMaps& into) {
          draw_joint_offsets(sample.joints, sample.joint_set, into.map, into.stride, into.maps, into.weights);
        },
    .channels = joint_offset_channels};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
