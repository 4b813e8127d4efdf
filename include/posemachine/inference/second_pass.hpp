// Where a second pass looks: around the joints that the first one found.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/inference/estimate.hpp>
#include <posemachine/pose/pose.hpp>

#include <optional>
#include <span>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The box of the joints whose scores reach SecondPass::min_score, 1.15 times as large, as person_box() makes it of
/// annotated ones. None where fewer than SecondPass::min_joints do, or where all lie within 2 pixels.
/// Shapes: keypoints in pixels of the image; the box from the image's left top edge.
std::optional<Box> second_pass_box(std::span<const Keypoint> keypoints, const SecondPass& options);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/inference/second_pass.ipp>
#endif
