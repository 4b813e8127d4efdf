// ScaleAverage: heatmaps of several scales of a crop, averaged as maps of the crop itself.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/map.hpp>
#include <posemachine/core/tensor.hpp>

#include <cstddef>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Averages maps of one crop looked at in several scales: at scale s everything is s times as large about the crop's
/// centre, so that cell u of scale 1 lies at (u - m) s + m, m being the middle of the row or column. Values there are
/// interpolated bilinearly between cells' centres. A cell is averaged over the scales that show it: a limb beyond the
/// edge of an enlarged crop is judged by the others alone. Where no scale shows a cell it is 0.
/// Source: Wei et al., Convolutional Pose Machines (2016), whose code takes 0 for what a scale does not show.
class ScaleAverage {
 public:
  /// Shapes: maps (C, H, W), row-major and the same for all scales. Errors: UsageError for a scale that is not above 0,
  /// no cells, or maps of another shape than the first.
  void add(const MapView<const float>& maps, double scale);

  /// The average of what was added, (C, H, W); begins anew.
  Tensor take();

 private:
  // Where a cell of scale 1 lies in a row or column of another scale.
  struct Sample {
    std::size_t low = 0, high = 0;  // the cells around it
    float weight = 0;               // of the higher one
    bool shown = false;             // within a cell of that scale
  };

  static std::vector<Sample> samples(int count, double scale);

  void check(const MapView<const float>& maps, double scale) const;

  Tensor sum_;                      // (C, H, W)
  std::vector<float> scale_count_;  // (H, W): the scales that show a cell
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/scale_average.ipp>
#endif
