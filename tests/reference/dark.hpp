// DARK's decoding step as the paper writes it, on the whole map and in double precision.
#pragma once

#include <posemachine/core/geometry.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

namespace posemachine::reference {

/// The step from cell (x, y) of a map, in cells; none where the Hessian is not negative definite or the step is longer
/// than one cell along an axis. Cells beyond the map are 0. Source: Zhang et al. 2020, equations 4 to 9.
inline std::optional<Point> dark_step(const std::vector<float>& map, int height, int width, int x, int y,
                                      double sigma_cells) {
  const int reach = static_cast<int>(std::ceil(3 * sigma_cells));
  const auto smoothed = [&](int at_x, int at_y) {
    double sum = 0, weights = 0;
    for (int j = -reach; j <= reach; ++j) {
      for (int i = -reach; i <= reach; ++i) {
        const double weight = std::exp(-(i * i + j * j) / (2 * sigma_cells * sigma_cells));
        weights += weight;
        const int from_x = at_x + i, from_y = at_y + j;
        if (from_x < 0 || from_y < 0 || from_x >= width || from_y >= height) continue;
        sum += weight * double(map[std::size_t(from_y * width + from_x)]);
      }
    }
    return sum / weights;
  };
  double old_maximum = 0, maximum = 0;
  std::vector<double> modulated;
  for (int j = 0; j < height; ++j) {
    for (int i = 0; i < width; ++i) {
      modulated.push_back(smoothed(i, j));
      maximum = std::max(maximum, modulated.back());
      old_maximum = std::max(old_maximum, double(map[std::size_t(j * width + i)]));
    }
  }
  const auto p = [&](int dx, int dy) {
    const double value = modulated[std::size_t((y + dy) * width + x + dx)] / maximum * old_maximum;
    return std::log(std::max(value, 1e-10));
  };
  const double dx = (p(1, 0) - p(-1, 0)) / 2;
  const double dy = (p(0, 1) - p(0, -1)) / 2;
  const double dxx = p(1, 0) - 2 * p(0, 0) + p(-1, 0);
  const double dyy = p(0, 1) - 2 * p(0, 0) + p(0, -1);
  const double dxy = (p(1, 1) - p(-1, 1) - p(1, -1) + p(-1, -1)) / 4;
  const double determinant = dxx * dyy - dxy * dxy;
  if (!(dxx < 0) || !(determinant > 0)) return std::nullopt;
  // m = x - inverse(Hessian) * gradient
  const Point step{-(dyy * dx - dxy * dy) / determinant, -(dxx * dy - dxy * dx) / determinant};
  if (std::abs(step.x) > 1 || std::abs(step.y) > 1) return std::nullopt;
  return step;
}

}  // namespace posemachine::reference
