// The definitions of pose/panel.hpp.
#pragma once

#include <posemachine/pose/panel.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/colour_map.hpp>
#include <posemachine/pose/decode.hpp>
#include <posemachine/pose/draw.hpp>
#include <posemachine/pose/resize.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE std::string two_decimals(double value) {
  const int hundredths = static_cast<int>(std::clamp(value, 0.0, 1.0) * 100 + 0.5);
  const std::string digits = std::to_string(100 + hundredths % 100);
  return std::to_string(hundredths / 100) + "." + digits.substr(1);
}

// The picture in dim grey: what heatmaps are laid over.
POSEMACHINE_INLINE Image dimmed(const Image& image) {
  Image out(image.width, image.height);
  for (std::size_t i = 0; i < out.pixels.size(); i += 3) {
    const double grey = 0.299 * image.pixels[i] + 0.587 * image.pixels[i + 1] + 0.114 * image.pixels[i + 2];
    std::fill_n(out.pixels.begin() + static_cast<std::ptrdiff_t>(i), 3, static_cast<std::uint8_t>(0.5 * grey));
  }
  return out;
}

// Lays a map over a picture it covers: colours of values 0 to 1, more opaque the higher the value. The root shows weak
// maps too: a peak of 0.2, usual for wrists, is red.
POSEMACHINE_INLINE void blend_heatmap(Image& image, const float* map, int map_width, int map_height) {
  const auto values = bilinear_samples(map, map_width, map_height, 1, image.width, image.height);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const float raw = values[std::size_t(y) * std::size_t(image.width) + std::size_t(x)];
      const double value = raw > 0 ? std::min(double(raw), 1.0) : 0.0;  // NaN is 0
      const double heat = std::sqrt(value);
      blend_pixel(image, x, y, heat_colour(heat), 0.9 * heat);
    }
  }
}

POSEMACHINE_INLINE Pose scaled(Pose pose, double scale_x, double scale_y) {
  const auto scaled_point = [&](Point p) { return Point{(p.x + 0.5) * scale_x - 0.5, (p.y + 0.5) * scale_y - 0.5}; };
  const Point corner = scaled_point({pose.box.x, pose.box.y});
  pose.box = {corner.x, corner.y, pose.box.width * scale_x, pose.box.height * scale_y};
  for (Keypoint& keypoint : pose.keypoints) keypoint.position = scaled_point(keypoint.position);
  return pose;
}

POSEMACHINE_INLINE PanelGrid::PanelGrid(int picture_width, int picture_height, int count, int columns)
    : width_(picture_width),
      height_(picture_height),
      columns_(columns),
      gap_(std::max(4, picture_width / 24)),
      text_px_(std::max(7.0, std::round(picture_width / 22.0))),
      caption_(static_cast<int>(2 * text_px_)) {
  const int rows = (count + columns - 1) / columns;
  canvas_ = Image(gap_ + columns * (width_ + gap_), gap_ + rows * row_height(), {17, 19, 24});
}

POSEMACHINE_INLINE void PanelGrid::add(const Image& picture, std::string_view name, std::string_view score) {
  const int x = gap_ + next_ % columns_ * (width_ + gap_);
  const int y = gap_ + next_ / columns_ * row_height();
  ++next_;
  draw_image(canvas_, picture, x, y);
  const double score_px = text_width(score, text_px_);
  const double room = width_ - score_px - (score.empty() ? 0 : text_px_);
  const double name_px = std::min(text_px_, text_px_ * room / std::max(1.0, text_width(name, text_px_)));
  const double top = y + height_ + 0.6 * text_px_;
  draw_text(canvas_, {double(x), top + text_px_ - name_px}, name, name_px, {236, 238, 242});
  draw_text(canvas_, {x + width_ - score_px, top}, score, text_px_, {150, 156, 168});
}

}  // namespace detail

POSEMACHINE_INLINE Image draw_panel(const Image& crop, const MapView<const float>& maps, const Pose& pose,
                                    const JointSet& joints, const PanelOptions& options) {
  const int joint_count = static_cast<int>(joints.joints.size());
  if (maps.c < joint_count || maps.h < 1 || maps.w < 1 || crop.width < 1 || crop.height < 1 ||
      pose.keypoints.size() != joints.joints.size() || options.picture_width_px < 32 ||
      options.picture_width_px > 2048 || crop.height / 8 > crop.width || options.columns < 0) {
    fail<UsageError>({.where = "draw_panel",
                      .expected = "a crop, a map and a keypoint for each of " + std::to_string(joint_count) +
                                  " joints, pictures 32 to 2048 pixels wide and at most 8 times as high",
                      .got = "a crop of " + std::to_string(crop.width) + " x " + std::to_string(crop.height) + ", " +
                             std::to_string(maps.c) + " maps, " + std::to_string(pose.keypoints.size()) +
                             " keypoints, pictures of " + std::to_string(options.picture_width_px) + " pixels"});
  }
  const int width = options.picture_width_px;
  const int height = std::max(1, static_cast<int>(std::lround(double(width) * crop.height / crop.width)));
  const int count = joint_count + 2;
  const int columns = options.columns > 0 ? options.columns : static_cast<int>(std::ceil(std::sqrt(double(count))));
  const Image photo = bilinear_resize(crop, width, height);
  const Image background = detail::dimmed(photo);
  const Pose placed = detail::scaled(pose, double(width) / crop.width, double(height) / crop.height);

  detail::PanelGrid grid(width, height, count, columns);
  grid.add(photo, "photo");
  for (int j = 0; j < joint_count; ++j) {
    Image picture = background;
    detail::blend_heatmap(picture, maps.channel(0, j), maps.w, maps.h);
    const Keypoint& keypoint = placed.keypoints[std::size_t(j)];
    if (keypoint.found()) {
      draw_circle(picture, keypoint.position, 0.03 * width, 0.012 * width, {18, 20, 26}, 0.6);
      draw_circle(picture, keypoint.position, 0.03 * width, 0.006 * width, {255, 255, 255});
    }
    grid.add(picture, joints.joints[std::size_t(j)], detail::two_decimals(keypoint.score));
  }
  Image last = photo;
  draw_pose(last, placed, joints, options.pose);
  grid.add(last, "pose");
  return grid.canvas();
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
