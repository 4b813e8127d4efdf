// The definitions of pose/scale_average.hpp.
#pragma once

#include <posemachine/pose/scale_average.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE void ScaleAverage::add(const MapView<const float>& maps, double scale) {
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

POSEMACHINE_INLINE Tensor ScaleAverage::take() {
  Tensor mean = std::exchange(sum_, {});
  const std::size_t cells = scale_count_.size();
  for (std::size_t i = 0; i < mean.values.size(); ++i) mean.values[i] /= std::max(1.0f, scale_count_[i % cells]);
  return mean;
}

POSEMACHINE_INLINE std::vector<ScaleAverage::Sample> ScaleAverage::samples(int count, double scale) {
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

POSEMACHINE_INLINE void ScaleAverage::check(const MapView<const float>& maps, double scale) const {
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

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
