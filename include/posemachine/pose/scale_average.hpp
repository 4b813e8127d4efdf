// ScaleAverage: heatmaps of several scales of a crop, averaged as maps of the crop itself.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/map.hpp>
#include <posemachine/core/tensor.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Averages maps of one crop looked at in several scales: at scale s everything is s times as large about the crop's
/// centre, so that cell u of scale 1 lies at (u - m) s + m, m being the middle of the row or column. Values there are
/// interpolated bilinearly between cells' centres. A cell is averaged over the scales that show it: a limb beyond the
/// edge of an enlarged crop is judged by the others alone. Where no scale shows a cell it is 0.
/// Source: Wei et al., Convolutional Pose Machines (2016), whose code takes 0 for what a scale does not show.
class ScaleAverage {
 public:
  /// Shapes: maps (C, H, W), row-major and the same for all scales. Errors: UsageError for a scale that is not above 0,
  /// no cells, or maps of another shape than the first.
  void add(const MapView<const float>& maps, double scale) {
    check(maps, scale);
    if (sum_.values.empty()) {
      sum_.shape = {maps.c, maps.h, maps.w};
      sum_.values.assign(maps.size(), 0.0f);
      scale_count_.assign(maps.cells(), 0.0f);
    }
    const std::vector<Sample> rows = samples(maps.h, scale);
    const std::vector<Sample> columns = samples(maps.w, scale);
    const auto width = static_cast<std::size_t>(maps.w);
    for (std::size_t y = 0; y < rows.size(); ++y) {
      if (!rows[y].shown) continue;
      for (std::size_t x = 0; x < columns.size(); ++x) {
        if (columns[x].shown) scale_count_[y * width + x] += 1;
      }
      for (int c = 0; c < maps.c; ++c) {
        const float* const upper = maps.channel(0, c) + rows[y].low * width;
        const float* const lower = maps.channel(0, c) + rows[y].high * width;
        float* const sum = sum_.values.data() + (static_cast<std::size_t>(c) * rows.size() + y) * width;
        for (std::size_t x = 0; x < columns.size(); ++x) {
          const Sample& at = columns[x];
          if (!at.shown) continue;
          const float above = upper[at.low] + at.weight * (upper[at.high] - upper[at.low]);
          const float below = lower[at.low] + at.weight * (lower[at.high] - lower[at.low]);
          sum[x] += above + rows[y].weight * (below - above);
        }
      }
    }
  }

  /// The average of what was added, (C, H, W); begins anew.
  Tensor take() {
    Tensor mean = std::exchange(sum_, {});
    const std::size_t cells = scale_count_.size();
    for (std::size_t i = 0; i < mean.values.size(); ++i) mean.values[i] /= std::max(1.0f, scale_count_[i % cells]);
    return mean;
  }

 private:
  // Where a cell of scale 1 lies in a row or column of another scale.
  struct Sample {
    std::size_t low = 0, high = 0;  // the cells around it
    float weight = 0;               // of the higher one
    bool shown = false;             // within a cell of that scale
  };

  static std::vector<Sample> samples(int count, double scale) {
    std::vector<Sample> samples(static_cast<std::size_t>(count));
    const double middle = (count - 1) / 2.0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const double at = (static_cast<double>(i) - middle) * scale + middle;
      const double held = std::clamp(at, 0.0, count - 1.0);  // half a cell at the edge: its value goes on
      Sample& sample = samples[i];
      sample.low = static_cast<std::size_t>(held);
      sample.high = std::min(sample.low + 1, samples.size() - 1);
      sample.weight = static_cast<float>(held - static_cast<double>(sample.low));
      sample.shown = std::abs(at - middle) <= count / 2.0;
    }
    return samples;
  }

  void check(const MapView<const float>& maps, double scale) const {
    const Shape shape{maps.c, maps.h, maps.w};
    if (!(scale > 0) || !std::isfinite(scale) || maps.size() == 0) {
      fail<UsageError>({.where = "ScaleAverage",
                        .expected = "maps of at least one cell and a scale above 0",
                        .got = to_string(shape) + ", scale " + std::to_string(scale)});
    }
    if (sum_.values.empty() || sum_.shape == shape) return;
    fail<UsageError>({.where = "ScaleAverage",
                      .expected = "maps of " + to_string(sum_.shape) + ", as of the first scale",
                      .got = to_string(shape)});
  }

  Tensor sum_;                      // (C, H, W)
  std::vector<float> scale_count_;  // (H, W): the scales that show a cell
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
