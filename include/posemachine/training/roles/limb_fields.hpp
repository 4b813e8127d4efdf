// The role limb_fields: unit vectors along the limbs.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/data/output_targets.hpp>
#include <posemachine/pose/limb_fields.hpp>
#include <posemachine/training/roles/output_role.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Targets as draw_limb_fields.
inline const OutputRole limb_fields_role{
    .name = "limb_fields",
    .does = "2 channels per limb: the unit vector along it, within 1 cell (part affinity fields)",
    .draw =
        [](const TargetSample& sample, const TargetMaps& into) {
          draw_limb_fields(sample.joints, sample.joint_set, into.map, into.stride, into.maps, into.weights);
        },
    .channels = limb_field_channels};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
