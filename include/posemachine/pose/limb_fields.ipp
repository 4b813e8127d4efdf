// The definitions of pose/limb_fields.hpp.
#pragma once

#include <posemachine/pose/limb_fields.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/pose/targets.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE void check_drawing(const char* what, std::span<const Joint> joints, const JointSet& set,
                                      int channels, Size map, std::span<float> maps, std::span<float> weights) {
  const auto count = static_cast<std::size_t>(channels);
  const std::size_t cells = static_cast<std::size_t>(map.height) * static_cast<std::size_t>(map.width);
  if (joints.size() != set.joints.size() || weights.size() != count || maps.size() != count * cells) {
    fail<UsageError>({.where = what,
                      .expected = std::to_string(set.joints.size()) + " joints and " + std::to_string(channels) +
                                  " channels, as the joint set " + set.name + " has",
                      .got = std::to_string(joints.size()) + " and " + std::to_string(weights.size())});
  }
  for (const Joint& joint : joints) {
    if (!joint.is_labelled() || (std::isfinite(joint.position.x) && std::isfinite(joint.position.y))) continue;
    fail<DataError>({.where = what,
                     .expected = "finite positions of labelled joints",
                     .got = "NaN or infinity",
                     .remedy = "mark the joint as unlabelled"});
  }
}

// The distance of a point from the segment that begins at `from` and goes `length` along the unit vector.
POSEMACHINE_INLINE double distance_from_segment(Point point, Point from, Point unit, double length) {
  const Point away = point - from;
  const double along = std::clamp(away.x * unit.x + away.y * unit.y, 0.0, length);
  return distance(away, along * unit);
}

}  // namespace detail

POSEMACHINE_INLINE void draw_limb_fields(std::span<const Joint> joints, const JointSet& set, Size map, double stride,
                                         std::span<float> maps, std::span<float> weights) {
  detail::check_drawing("limb_fields", joints, set, limb_field_channels(set), map, maps, weights);
  std::fill(maps.begin(), maps.end(), 0.0f);
  const std::size_t cells = static_cast<std::size_t>(map.height) * static_cast<std::size_t>(map.width);
  for (std::size_t limb = 0; limb < set.limbs.size(); ++limb) {
    const Joint& from = joints[static_cast<std::size_t>(set.limbs[limb].from)];
    const Joint& to = joints[static_cast<std::size_t>(set.limbs[limb].to)];
    const double length = distance(from.position, to.position);
    const bool drawn = from.is_labelled() && to.is_labelled() && length > 0;
    weights[2 * limb] = weights[2 * limb + 1] = drawn ? std::min(from.weight, to.weight) : 0.0f;
    if (!drawn) continue;
    const Point unit = 1 / length * (to.position - from.position);
    const std::span<float> xs = maps.subspan(2 * limb * cells, cells), ys = maps.subspan((2 * limb + 1) * cells, cells);
    for (std::size_t cell = 0; cell < cells; ++cell) {
      const auto width = static_cast<std::size_t>(map.width);
      const Point centre{cell_centre(double(cell % width), stride), cell_centre(double(cell / width), stride)};
      if (detail::distance_from_segment(centre, from.position, unit, length) > limb_half_width_cells * stride) continue;
      xs[cell] = static_cast<float>(unit.x);
      ys[cell] = static_cast<float>(unit.y);
    }
  }
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
