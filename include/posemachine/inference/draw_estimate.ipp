// The definitions of inference/draw_estimate.hpp.
#pragma once

#include <posemachine/inference/draw_estimate.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/data/crop.hpp>
#include <posemachine/data/image_kinds.hpp>
#include <posemachine/data/warp.hpp>
#include <posemachine/pose/decode.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE std::vector<Keypoint> SeenPart::placed(std::vector<Keypoint> keypoints) const {
  const Affine from_photo = inverse(to_photo);
  for (Keypoint& keypoint : keypoints) {
    if (keypoint.found()) keypoint.position = apply(from_photo, keypoint.position);
  }
  return keypoints;
}

POSEMACHINE_INLINE SeenPart cut_seen(ImageView photo, const Box& square, const ModelSpec& spec, int width_px) {
  const Size size{std::max(1, width_px * spec.input_height / spec.input_width), width_px};
  SeenPart part{Image(size.width, size.height), image_from_input(square, size)};
  std::vector<float> planes(part.picture.pixels.size());  // (3, height, width)
  std::optional<Image> shown;
  if (photo.kind() != PixelKind::rgb8) shown = displayable(photo);
  warp(shown ? ImageView(*shown) : photo, part.to_photo, size, {.mean = {0, 0, 0}, .scale = {1, 1, 1}}, false, {},
       planes.data());
  const std::size_t plane = planes.size() / 3;
  for (std::size_t i = 0; i < planes.size(); ++i) {
    part.picture.pixels[i] = static_cast<std::uint8_t>(std::lround(planes[i % 3 * plane + i / 3]));
  }
  return part;
}

POSEMACHINE_INLINE Image draw_stage(ImageView photo, const Estimate& estimate, std::size_t stage, const ModelSpec& spec,
                                    const PanelOptions& options) {
  if (stage >= estimate.stages.size()) {
    fail<UsageError>({.where = "draw_stage: stage",
                      .expected = "less than the " + std::to_string(estimate.stages.size()) + " of the estimate",
                      .got = std::to_string(stage)});
  }
  const StageEstimate& said = estimate.stages[stage];
  const SeenPart seen = cut_seen(photo, estimate.square, spec, options.picture_width_px);
  return draw_panel(seen.picture, view_of(said.maps), {estimate.pose.box, seen.placed(said.keypoints)}, spec.joints,
                    options);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
