// From heatmaps to keypoints.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/model/meaning.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/pose/targets.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// One image's heatmaps, not owned. Shapes: data (channels, height, width).
struct MapView {
  const float* data = nullptr;
  int channels = 0;
  int height = 0;
  int width = 0;

  const float* map(int channel) const {
    return data + std::size_t(channel) * std::size_t(height) * std::size_t(width);
  }
};

namespace detail {

/// 0.25 towards the higher of a cell's two neighbours along an axis; 0 where they are equal or one is missing.
inline double quarter_towards(float before, float after) {
  if (after > before) return 0.25;
  return after < before ? -0.25 : 0.0;
}

inline Keypoint decode_map(const float* map, int height, int width, double stride, const Decoder& decoder) {
  const std::size_t cells = std::size_t(height) * std::size_t(width);
  std::size_t best = 0;
  for (std::size_t i = 0; i < cells; ++i) {
    if (!std::isfinite(map[i])) return {};  // a broken map says nothing, wherever its finite peak is
    if (map[i] > map[best]) best = i;
  }
  const int gx = static_cast<int>(best % std::size_t(width));
  const int gy = static_cast<int>(best / std::size_t(width));
  const float* peak = map + best;
  double x = gx;
  double y = gy;
  if (decoder.quarter_offset) {
    if (gx > 0 && gx < width - 1) x += quarter_towards(peak[-1], peak[1]);
    if (gy > 0 && gy < height - 1) y += quarter_towards(peak[-width], peak[width]);
  }
  return {{cell_centre(x, stride), cell_centre(y, stride)}, std::clamp(double(*peak), 0.0, 1.0)};
}

}  // namespace detail

/// The keypoint of each of the first joint_count maps: its highest cell, the first in row-major order where several are
/// equal, moved a quarter of a cell towards the higher neighbour along each axis if the decoder says so (not at a
/// border, where only one neighbour is known). A map with a value that is not finite gives a missing keypoint.
/// Shapes: positions in input pixels, scores the highest value clamped to 0 .. 1.
/// Errors: UsageError for empty maps, fewer maps than joints or a stride that is not positive.
inline std::vector<Keypoint> decode_heatmaps(const MapView& maps, int joint_count, double stride,
                                             const Decoder& decoder) {
  if (maps.height < 1 || maps.width < 1 || joint_count < 0 || maps.channels < joint_count || !(stride > 0)) {
    fail<UsageError>({.where = "decode_heatmaps",
                      .expected = "at least " + std::to_string(joint_count) + " maps of 1 x 1 cells and a stride > 0",
                      .got = std::to_string(maps.channels) + " maps of " + std::to_string(maps.height) + " x " +
                             std::to_string(maps.width) + " and stride " + std::to_string(stride)});
  }
  std::vector<Keypoint> keypoints;
  keypoints.reserve(std::size_t(joint_count));
  for (int j = 0; j < joint_count; ++j) {
    keypoints.push_back(detail::decode_map(maps.map(j), maps.height, maps.width, stride, decoder));
  }
  return keypoints;
}

/// Averages the maps of an image with those of its mirror image, turned back: columns reversed, sides swapped.
/// The maps of the mirrored image, averaged likewise, are exactly the mirrored result.
/// Shapes: maps, flipped (channels, height, width); mirrored_channel: for each joint the one it is in the mirror image,
/// see mirror(JointSet); channels beyond it (the background) stay themselves.
/// Errors: UsageError where mirrored_channel is longer than the channels or names one that is not there.
inline void average_flipped(float* maps, const float* flipped, int channels, int height, int width,
                            std::span<const int> mirrored_channel) {
  if (mirrored_channel.size() > std::size_t(channels)) {
    fail<UsageError>({.where = "average_flipped",
                      .expected = "at most " + std::to_string(channels) + " mirrored channels",
                      .got = std::to_string(mirrored_channel.size())});
  }
  for (const int channel : mirrored_channel) {
    if (channel >= 0 && channel < channels) continue;
    fail<UsageError>({.where = "average_flipped", .expected = "mirrored channels below " + std::to_string(channels),
                      .got = std::to_string(channel)});
  }
  const std::size_t row_length = std::size_t(width);
  const std::size_t row_count = std::size_t(height);
  for (std::size_t c = 0; c < std::size_t(channels); ++c) {
    const std::size_t other = c < mirrored_channel.size() ? std::size_t(mirrored_channel[c]) : c;
    for (std::size_t y = 0; y < row_count; ++y) {
      float* row = maps + (c * row_count + y) * row_length;
      const float* mirrored_row = flipped + (other * row_count + y) * row_length;
      for (std::size_t x = 0; x < row_length; ++x) row[x] = (row[x] + mirrored_row[row_length - 1 - x]) * 0.5f;
    }
  }
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
