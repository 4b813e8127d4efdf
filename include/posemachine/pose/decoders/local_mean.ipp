// The definitions of pose/decoders/local_mean.hpp.
#pragma once

#include <posemachine/pose/decoders/local_mean.hpp>

#include <algorithm>
#include <cmath>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE Point local_mean_offset(const Peak& peak, double sigma_cells) {
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

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
