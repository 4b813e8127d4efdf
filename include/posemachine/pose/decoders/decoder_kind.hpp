// A decoder: where a joint lies within the highest cell of its heatmap.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A map, not owned, and its highest cell. Shapes: map (height, width), finite.
struct Peak {
  const float* map = nullptr;
  int width = 0;
  int height = 0;
  int x = 0;
  int y = 0;

  /// The value of the cell that lies (dx, dy) cells from the peak, which must be on the map.
  float at(int dx, int dy) const { return map[std::size_t(y + dy) * std::size_t(width) + std::size_t(x + dx)]; }
  /// Cells on both sides of the peak: 0 at a border.
  int room_x() const { return std::min(x, width - 1 - x); }
  int room_y() const { return std::min(y, height - 1 - y); }
};

/// A way of decoding heatmaps: a row of DecoderKinds. Model files name it.
struct DecoderKind {
  std::string_view name{};
  std::string_view does{};  // a line for people
  /// From the centre of the highest cell to the joint, in cells; one that is not finite makes the joint missing.
  /// Several threads call it at once. Shapes: sigma_cells: the targets' standard deviation in cells, above 0.
  Point (*offset)(const Peak& peak, double sigma_cells) = nullptr;
};

namespace detail {

/// f(0) + sum over k = 1 .. radius of weight(k) * (f(-k) + f(k)). Cells that mirror each other are added first, so that
/// the mirrored map has exactly the same sum, with or without fused multiply-add.
template <class Weight, class F>
double symmetric_sum(int radius, Weight&& weight, F&& f) {
  double sum = f(0);
  for (int k = 1; k <= radius; ++k) sum += weight(k) * (f(-k) + f(k));
  return sum;
}

/// Offsets in 1/65536 of a cell: x + offset is then exact, and mirrored maps have exactly mirrored positions.
inline double quantised_offset(double cells) { return std::round(cells * 0x1p16) * 0x1p-16; }

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
