// The definitions of pose/decode.hpp.
#pragma once

#include <posemachine/pose/decode.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/targets.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE Keypoint decode_map(const float* map, int height, int width, double stride,
                                       const DecoderKind& decoder, double sigma_px) {
  const std::size_t cells = std::size_t(height) * std::size_t(width);
  std::size_t best = 0;
  for (std::size_t i = 0; i < cells; ++i) {
    if (!std::isfinite(map[i])) return {};  // a broken map says nothing, wherever its finite peak is
    if (map[i] > map[best]) best = i;
  }
  const Peak peak{map, width, height, static_cast<int>(best % std::size_t(width)),
                  static_cast<int>(best / std::size_t(width))};
  const Point offset = decoder.offset(peak, sigma_px / stride);
  if (!std::isfinite(offset.x) || !std::isfinite(offset.y)) return {};
  const Point cell = Point{double(peak.x), double(peak.y)} + offset;
  return {{cell_centre(cell.x, stride), cell_centre(cell.y, stride)}, std::clamp(double(map[best]), 0.0, 1.0)};
}

}  // namespace detail

POSEMACHINE_INLINE std::vector<Keypoint> decode_heatmaps(const MapView<const float>& maps, int joint_count,
                                                         double stride, const DecoderKind& decoder, double sigma_px) {
  if (maps.h < 1 || maps.w < 1 || joint_count < 0 || maps.c < joint_count || !(stride > 0) || !(sigma_px > 0) ||
      decoder.offset == nullptr) {
    fail<UsageError>({.where = "decode_heatmaps",
                      .expected = "at least " + std::to_string(joint_count) +
                                  " maps of 1 x 1 cells, stride > 0, sigma_px > 0 and a decoder",
                      .got = std::to_string(maps.c) + " maps of " + std::to_string(maps.h) + " x " +
                             std::to_string(maps.w) + ", stride " + std::to_string(stride) + ", sigma_px " +
                             std::to_string(sigma_px) + (decoder.offset == nullptr ? ", no decoder" : "")});
  }
  std::vector<Keypoint> keypoints;
  keypoints.reserve(std::size_t(joint_count));
  for (int j = 0; j < joint_count; ++j) {
    keypoints.push_back(detail::decode_map(maps.channel(0, j), maps.h, maps.w, stride, decoder, sigma_px));
  }
  return keypoints;
}

POSEMACHINE_INLINE void average_flipped(float* maps, const float* flipped, int channels, int height, int width,
                                        std::span<const int> mirrored_channel) {
  if (mirrored_channel.size() > std::size_t(channels)) {
    fail<UsageError>({.where = "average_flipped",
                      .expected = "at most " + std::to_string(channels) + " mirrored channels",
                      .got = std::to_string(mirrored_channel.size())});
  }
  for (const int channel : mirrored_channel) {
    if (channel >= 0 && channel < channels) continue;
    fail<UsageError>({.where = "average_flipped",
                      .expected = "mirrored channels below " + std::to_string(channels),
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

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
