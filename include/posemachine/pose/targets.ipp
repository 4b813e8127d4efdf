// The definitions of pose/targets.hpp.
#pragma once

#include <posemachine/pose/targets.hpp>

#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE void check_target_options(const TargetOptions& options) {
  if (options.map.height < 1 || options.map.width < 1) {
    fail<UsageError>({.where = "target heatmaps",
                      .expected = "maps of at least 1 x 1 cells",
                      .got = std::to_string(options.map.height) + " x " + std::to_string(options.map.width)});
  }
  if (!(options.stride > 0) || !(options.sigma_px > 0) || !(options.cutoff >= 0 && options.cutoff <= 1)) {
    fail<UsageError>({.where = "target heatmaps",
                      .expected = "stride > 0, sigma_px > 0 and a cutoff in [0, 1]",
                      .got = "stride " + std::to_string(options.stride) + ", sigma_px " +
                             std::to_string(options.sigma_px) + ", cutoff " + std::to_string(options.cutoff)});
  }
}

}  // namespace detail

POSEMACHINE_INLINE void render_targets(std::span<const Joint> joints, const TargetOptions& options, float* maps,
                                       float* map_weights) {
  detail::check_target_options(options);
  const std::size_t plane = std::size_t(options.map.height) * std::size_t(options.map.width);
  float* background = maps + joints.size() * plane;
  std::fill(maps, background, 0.0f);
  std::fill(background, background + plane, 1.0f);
  float lowest = 1;
  for (std::size_t j = 0; j < joints.size(); ++j) {
    const Joint& joint = joints[j];
    const Point position = joint.position;
    if (joint.is_labelled() && !(joint.weight >= 0 && joint.weight <= 1)) {
      fail<DataError>({.where = "joint " + std::to_string(j),
                       .expected = "a weight of 0 to 1",
                       .got = std::to_string(joint.weight)});
    }
    map_weights[j] = joint.is_labelled() ? joint.weight : options.mask_unlabelled ? 0.0f : 1.0f;
    lowest = std::min(lowest, map_weights[j]);
    if (!joint.is_labelled() || joint.state == JointState::outside) continue;
    if (!std::isfinite(position.x) || !std::isfinite(position.y)) {
      fail<DataError>({.where = "joint " + std::to_string(j),
                       .expected = "a finite position",
                       .got = "NaN or infinity",
                       .remedy = "mark the joint as unlabelled"});
    }
    float* map = maps + j * plane;
    detail::for_gaussian_cells(position, options, [&](std::size_t cell, float value) {
      map[cell] = value;
      background[cell] = std::min(background[cell], 1.0f - value);  // value <= 1, so never below 0
    });
  }
  map_weights[joints.size()] = lowest;
}

POSEMACHINE_INLINE void render_centre_gaussian(Size input, double sigma_px, float* map) {
  const TargetOptions options{.map = input, .stride = 1, .sigma_px = sigma_px};
  detail::check_target_options(options);
  std::fill(map, map + std::size_t(input.height) * std::size_t(input.width), 0.0f);
  detail::for_gaussian_cells({(input.width - 1) / 2.0, (input.height - 1) / 2.0}, options,
                             [map](std::size_t cell, float value) { map[cell] = value; });
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
