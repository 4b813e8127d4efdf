// Target heatmaps: a Gaussian per joint and the background left between them.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/pose.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// How target heatmaps are drawn.
struct TargetOptions {
  Size map;                     // cells of one map
  double stride = 8;            // input pixels per cell
  double sigma_px = 7;          // the Gaussian's standard deviation in input pixels
  double cutoff = 0.01;         // values below are 0; 0 keeps all
  bool mask_unlabelled = true;  // give maps of unlabelled joints the weight 0; false: they are empty (CPM)
};

/// The input coordinate of a cell's centre, in pixels: cell 0 of stride 8 is at 3.5. Mirrored inputs have mirrored
/// cells: coordinate x -> input width - 1 - x is cell g -> map width - 1 - g.
constexpr double cell_centre(double cell, double stride) { return (stride - 1) / 2 + stride * cell; }

namespace detail {

/// Calls write(cell index, value) for every cell of a map where exp(-d^2 / (2 sigma^2)) reaches the cut-off, d being
/// the distance of the cell's centre from the peak in input pixels. The peak may lie far outside the map.
template <class Write>
void for_gaussian_cells(Point peak, const TargetOptions& options, Write&& write) {
  const double reach = options.cutoff > 0 ? options.sigma_px * std::sqrt(std::max(0.0, -2 * std::log(options.cutoff)))
                                          : std::numeric_limits<double>::infinity();
  const auto range = [&](double at, int cells, int& first, int& last) {
    // One cell more at both ends: the exact comparison below decides, not the rounding here.
    const double low = std::floor((at - reach - cell_centre(0, options.stride)) / options.stride) - 1;
    const double high = std::ceil((at + reach - cell_centre(0, options.stride)) / options.stride) + 1;
    first = static_cast<int>(std::clamp(low, 0.0, double(cells)));  // clamped before the cast: at may be 1e300
    last = static_cast<int>(std::clamp(high, -1.0, double(cells - 1)));
  };
  int first_x, last_x, first_y, last_y;
  range(peak.x, options.map.width, first_x, last_x);
  range(peak.y, options.map.height, first_y, last_y);
  const double exponent = -1 / (2 * options.sigma_px * options.sigma_px);
  for (int gy = first_y; gy <= last_y; ++gy) {
    const double dy = cell_centre(gy, options.stride) - peak.y;
    for (int gx = first_x; gx <= last_x; ++gx) {
      const double dx = cell_centre(gx, options.stride) - peak.x;
      const double value = std::exp(exponent * (dx * dx + dy * dy));
      if (value < options.cutoff) continue;
      write(std::size_t(gy) * std::size_t(options.map.width) + std::size_t(gx), static_cast<float>(value));
    }
  }
}

}  // namespace detail

/// Draws one person's targets: per joint exp(-d^2 / (2 sigma^2)) around its position, then the background,
/// max(0, 1 - the highest of the joints' values). A map weighs what its joint does, the background what the lightest
/// of the maps does. Joints `outside` have an empty map. Unlabelled ones, those of weight 0 among them, have an empty
/// map of weight 0, or of weight 1 where they are not masked.
/// Shapes: joints in input pixels; maps (joints + 1, map.height, map.width), values 0 to 1; map_weights (joints + 1),
/// 0 to 1. Errors: UsageError for options out of range; DataError for a labelled joint without a finite position or
/// with a weight outside 0 to 1.
/// Source: Wei et al. 2016, 3.2.1, and its released code (sampling at the cells' centres, nothing below 1 %).
void render_targets(std::span<const Joint> joints, const TargetOptions& options, float* maps, float* map_weights);

/// Fills an input of role centre_gaussian: a Gaussian at the input's centre, at full resolution, 0 below 1 %.
/// Shapes: map (input.height, input.width), values 0 to 1. Errors: UsageError for an empty input or sigma_px <= 0.
/// Source: Wei et al. 2016, released code (the centre map, sigma 21).
void render_centre_gaussian(Size input, double sigma_px, float* map);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/targets.ipp>
#endif
