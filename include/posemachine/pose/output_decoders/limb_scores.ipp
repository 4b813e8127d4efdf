// The definitions of pose/output_decoders/limb_scores.hpp.
#pragma once

#include <posemachine/pose/output_decoders/limb_scores.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// Of one limb, whose field's x is the channel `first`.
POSEMACHINE_INLINE double limb_score(const OutputMaps& fields, int first, const Keypoint& from, const Keypoint& to) {
  const double length = distance(from.position, to.position);
  if (!from.found() || !to.found() || !(length > 0)) return std::numeric_limits<double>::quiet_NaN();
  const Point way = to.position - from.position;
  // The longest limb crosses the map once from corner to corner.
  const int steps = static_cast<int>(std::clamp(std::ceil(2 * length / fields.stride), 1.0, 1e5));
  double sum = 0;
  for (int i = 0; i <= steps; ++i) {
    const Point at = from.position + double(i) / steps * way;
    const Point cell = nearest_cell(at, fields.stride, fields.maps.h, fields.maps.w);
    const int x = static_cast<int>(cell.x), y = static_cast<int>(cell.y);
    sum += (fields.maps.at(0, first, y, x) * way.x + fields.maps.at(0, first + 1, y, x) * way.y) / length;
  }
  return sum / (steps + 1);
}

}  // namespace detail

POSEMACHINE_INLINE NamedNumbers limb_scores(const OutputMaps& fields) {
  NamedNumbers scores;
  for (const Limb& limb : fields.joint_set.limbs) {
    const auto from = static_cast<std::size_t>(limb.from), to = static_cast<std::size_t>(limb.to);
    const int first = 2 * static_cast<int>(scores.size());
    scores.emplace_back(fields.joint_set.joints[from] + "-" + fields.joint_set.joints[to],
                        detail::limb_score(fields, first, fields.keypoints[from], fields.keypoints[to]));
  }
  return scores;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
