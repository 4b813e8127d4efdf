// The definitions of pose/draw_pose.hpp.
#pragma once

#include <posemachine/pose/draw_pose.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/pose/draw.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE bool shown(const Keypoint& keypoint, const DrawOptions& options) {
  return keypoint.found() && keypoint.score >= options.min_score;
}

POSEMACHINE_INLINE double opacity(double score, const DrawOptions& options) {
  constexpr double faintest = 0.3;
  if (score >= options.full_score) return 1;
  return faintest + (1 - faintest) * (score - options.min_score) / (options.full_score - options.min_score);
}

POSEMACHINE_INLINE double limb_width(const Image& image, const Pose& pose, const DrawOptions& options) {
  if (options.line_width_px > 0) return options.line_width_px;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Point low{infinity, infinity};
  Point high{-infinity, -infinity};
  for (const Keypoint& keypoint : pose.keypoints) {
    if (!shown(keypoint, options)) continue;
    low = {std::min(low.x, keypoint.position.x), std::min(low.y, keypoint.position.y)};
    high = {std::max(high.x, keypoint.position.x), std::max(high.y, keypoint.position.y)};
  }
  const double extent = std::max({high.x - low.x, high.y - low.y, 0.0});
  const double side = std::max(image.width, image.height);
  return std::max(1.5, std::clamp(0.022 * extent, 0.004 * side, 0.02 * side));
}

// A joint has the colour of the first limb that ends in it.
POSEMACHINE_INLINE Rgb joint_colour(const JointSet& joints, int joint) {
  for (const Limb& limb : joints.limbs) {
    if (limb.from == joint || limb.to == joint) return limb.colour;
  }
  return {255, 255, 255};
}

POSEMACHINE_INLINE void draw_box(Image& image, const Box& box, double width_px, Rgb colour) {
  const Point corners[]{
      {box.x, box.y}, {box.x + box.width, box.y}, {box.x + box.width, box.y + box.height}, {box.x, box.y + box.height}};
  draw_strokes(image,
               {{corners[0], corners[1]}, {corners[1], corners[2]}, {corners[2], corners[3]}, {corners[3], corners[0]}},
               width_px, colour, 0.9);
}

}  // namespace detail

POSEMACHINE_INLINE void draw_pose(Image& image, const Pose& pose, const JointSet& joints, const DrawOptions& options) {
  if (pose.keypoints.size() != joints.joints.size()) {
    fail<UsageError>({.where = "draw_pose: keypoints",
                      .expected = std::to_string(joints.joints.size()) + " for the joint set " + joints.name,
                      .got = std::to_string(pose.keypoints.size())});
  }
  constexpr Rgb dark{18, 20, 26};
  constexpr Rgb light{255, 255, 255};
  const double width = detail::limb_width(image, pose, options);
  const double outline = std::max(1.0, 0.3 * width);
  if (options.draw_box) {
    detail::draw_box(image, pose.box, 0.7 * width + outline, dark);
    detail::draw_box(image, pose.box, 0.4 * width, light);
  }
  for (const Limb& limb : joints.limbs) {
    const Keypoint& from = pose.keypoints[std::size_t(limb.from)];
    const Keypoint& to = pose.keypoints[std::size_t(limb.to)];
    if (!detail::shown(from, options) || !detail::shown(to, options)) continue;
    const double opacity = detail::opacity(std::min(from.score, to.score), options);
    draw_line(image, from.position, to.position, width + 2 * outline, dark, 0.85 * opacity);
    draw_line(image, from.position, to.position, width, limb.colour, opacity);
  }
  for (std::size_t j = 0; j < pose.keypoints.size(); ++j) {
    if (!detail::shown(pose.keypoints[j], options)) continue;
    const Point at = pose.keypoints[j].position;
    const double opacity = detail::opacity(pose.keypoints[j].score, options);
    const Rgb colour = mix(detail::joint_colour(joints, static_cast<int>(j)), light, 0.75);
    draw_disc(image, at, 0.85 * width + outline, dark, 0.85 * opacity);
    draw_disc(image, at, 0.85 * width, colour, opacity);
  }
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
