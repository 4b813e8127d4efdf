// What the network saw of a photograph and what it said of it, as pictures.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/inference/estimate.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/pose/panel.hpp>
#include <posemachine/pose/pose.hpp>

#include <cstddef>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The part of a photograph that a network saw, and the map from its pixels to the photograph's.
struct SeenPart {
  Image picture;  // black beyond the photograph's edge
  Affine to_photo;

  /// The keypoints of the photograph where they are in the picture.
  std::vector<Keypoint> placed(std::vector<Keypoint> keypoints) const;
};

/// Cuts the square of an estimate out of its photograph; one of 16 bits is shown as displayable() shows it.
/// Shapes: width_px wide, as high as the shape of the network's input makes it. Errors: as warp.
SeenPart cut_seen(ImageView photo, const Box& square, const ModelSpec& spec, int width_px);

/// The panel of one stage: what the network saw, the stage's heatmaps over it, the stage's pose.
/// Shapes: stage from 0. Errors: UsageError for a stage that the estimate does not have; as draw_panel.
Image draw_stage(ImageView photo, const Estimate& estimate, std::size_t stage, const ModelSpec& spec,
                 const PanelOptions& options = {});

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/inference/draw_estimate.ipp>
#endif
