// local_mean: joints lie at the centroid of the peak's neighbourhood (local soft arg-max).
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/decoders/decoder_kind.hpp>

#include <algorithm>
#include <cmath>

namespace posemachine::inline POSEMACHINE_BUILD {
namespace detail {

/// The centroid of the values above 0 within 2 sigma of the peak, the window being cut on both sides alike at a border.
/// Source: the soft arg-max of Sun et al. 2018, "Integral Human Pose Regression", 2, kept to the peak's neighbourhood.
inline Point local_mean_offset(const Peak& peak, double sigma_cells) {
  const double most = std::max(peak.width, peak.height);
  const int reach = static_cast<int>(std::min(std::ceil(2 * sigma_cells), most));
  const int radius_x = std::min(reach, peak.room_x());
  const int radius_y = std::min(reach, peak.room_y());
  const auto one = [](int) { return 1.0; };
  const auto value = [&](int dx, int dy) { return std::max(double(peak.at(dx, dy)), 0.0); };
  const auto column = [&](int dx) { return symmetric_sum(radius_y, one, [&](int dy) { return value(dx, dy); }); };
  const auto row = [&](int dy) { return symmetric_sum(radius_x, one, [&](int dx) { return value(dx, dy); }); };
  const double total = symmetric_sum(radius_x, one, column);
  if (!(total > 0)) return {};
  double moment_x = 0, moment_y = 0;
  for (int k = 1; k <= radius_x; ++k) moment_x += k * (column(k) - column(-k));
  for (int k = 1; k <= radius_y; ++k) moment_y += k * (row(k) - row(-k));
  return {quantised_offset(moment_x / total), quantised_offset(moment_y / total)};
}

}  // namespace detail

/// The centroid of the values above 0 in a window of 2 ceil(2 sigma) + 1 cells around the highest one. The window is
/// centred on a cell and cuts one tail shorter than the other, so offsets come out too small: by 4 % of a Gaussian's at
/// sigma 0.875 (7 px at stride 8), by up to 20 % at any sigma from 0.4 to 4 cells. One cell from a border the window
/// has 3 cells, and the error may be 0.2 cells. A floor of values pulls to the cell's centre, too.
inline constexpr DecoderKind local_mean_decoder{.name = "local_mean",
                                                .does = "the centroid of the peak's neighbourhood (local soft arg-max)",
                                                .offset = detail::local_mean_offset};

}  // namespace posemachine::inline POSEMACHINE_BUILD
