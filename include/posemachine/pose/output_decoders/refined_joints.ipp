// The definitions of pose/output_decoders/refined_joints.hpp.
#pragma once

#include <posemachine/pose/output_decoders/refined_joints.hpp>

#include <posemachine/pose/targets.hpp>

#include <algorithm>
#include <cstddef>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// The mean of the positions that the 3 x 3 cells around a joint vote for, in pixels of the input.
POSEMACHINE_INLINE Point voted_position(const OutputMaps& offsets, int joint, Point found) {
  const MapView<const float>& maps = offsets.maps;
  const Point middle = nearest_cell(found, offsets.stride, maps.h, maps.w);
  const int cx = static_cast<int>(middle.x), cy = static_cast<int>(middle.y);
  const double unit = joint_offset_radius_cells * offsets.stride;
  Point sum;
  int votes = 0;
  for (int y = std::max(0, cy - 1); y <= std::min(maps.h - 1, cy + 1); ++y) {
    for (int x = std::max(0, cx - 1); x <= std::min(maps.w - 1, cx + 1); ++x) {
      const Point offset{maps.at(0, 2 * joint, y, x), maps.at(0, 2 * joint + 1, y, x)};
      sum = sum + Point{cell_centre(x, offsets.stride), cell_centre(y, offsets.stride)} + unit * offset;
      ++votes;
    }
  }
  return 1.0 / votes * sum;
}

}  // namespace detail

POSEMACHINE_INLINE NamedKeypoints refined_joints(const OutputMaps& offsets) {
  NamedKeypoints refined;
  for (std::size_t j = 0; j < offsets.keypoints.size(); ++j) {
    Keypoint keypoint = offsets.keypoints[j];
    if (keypoint.found()) {
      const Point voted = detail::voted_position(offsets, static_cast<int>(j), keypoint.position);
      keypoint.position = detail::place_in_image(voted, offsets.image_from_input, offsets.image);
      if (!keypoint.found()) keypoint = {};  // the network's numbers were not finite
    }
    refined.emplace_back(offsets.joint_set.joints[j], keypoint);
  }
  return refined;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
