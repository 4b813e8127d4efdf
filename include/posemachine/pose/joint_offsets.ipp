// The definitions of pose/joint_offsets.hpp.
#pragma once

#include <posemachine/pose/joint_offsets.hpp>

#include <posemachine/pose/limb_fields.hpp>
#include <posemachine/pose/targets.hpp>

#include <algorithm>
#include <cstddef>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE void draw_joint_offsets(std::span<const Joint> joints, const JointSet& set, Size map, double stride,
                                           std::span<float> maps, std::span<float> weights) {
  detail::check_drawing("joint_offsets", joints, set, joint_offset_channels(set), map, maps, weights);
  std::fill(maps.begin(), maps.end(), 0.0f);
  const auto width = static_cast<std::size_t>(map.width);
  const std::size_t cells = static_cast<std::size_t>(map.height) * width;
  const double radius = joint_offset_radius_cells * stride;
  for (std::size_t j = 0; j < joints.size(); ++j) {
    weights[2 * j] = weights[2 * j + 1] = joints[j].is_labelled() ? joints[j].weight : 0.0f;
    if (!joints[j].is_labelled()) continue;
    const std::span<float> xs = maps.subspan(2 * j * cells, cells), ys = maps.subspan((2 * j + 1) * cells, cells);
    for (std::size_t cell = 0; cell < cells; ++cell) {
      const Point centre{cell_centre(double(cell % width), stride), cell_centre(double(cell / width), stride)};
      if (distance(centre, joints[j].position) > radius) continue;
      const Point offset = 1 / radius * (joints[j].position - centre);
      xs[cell] = static_cast<float>(offset.x);
      ys[cell] = static_cast<float>(offset.y);
    }
  }
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
