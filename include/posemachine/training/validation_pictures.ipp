// The definitions of training/validation_pictures.hpp.
#pragma once

#include <posemachine/training/validation_pictures.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/data/read_frames.hpp>
#include <posemachine/inference/draw_estimate.hpp>
#include <posemachine/pose/panel.hpp>
#include <posemachine/pose/pose.hpp>

#include <cstddef>
#include <string_view>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE Image draw_beside_truth(ImageView photo, const Estimate& estimate, const Person& person,
                                           const ModelSpec& spec, const ValidationPictureOptions& options) {
  const SeenPart seen = cut_seen(photo, estimate.square, spec, options.pose_width_px);
  std::vector<Keypoint> labelled;
  for (const Joint& joint : person.joints) {
    labelled.push_back(joint.is_labelled() ? Keypoint{joint.position, 1} : Keypoint{});
  }
  detail::PanelGrid grid(seen.picture.width, seen.picture.height, 2, 2);
  const auto add = [&](std::vector<Keypoint> keypoints, std::string_view name) {
    Image picture = seen.picture;
    draw_pose(picture, {estimate.pose.box, seen.placed(std::move(keypoints))}, spec.joints, options.pose);
    grid.add(picture, name);
  };
  add(std::move(labelled), "labelled");
  add(estimate.pose.keypoints, "estimated");
  return grid.canvas();
}

POSEMACHINE_INLINE ValidationPictures draw_validation(Estimator& estimator, const Person& person,
                                                      const ValidationPictureOptions& options) {
  const ModelSpec& spec = estimator.model().spec();
  const FrameImages read = FrameReader(spec.frames, pixel_kind(spec), options.limits)(person.image);
  const ImageView photo = read.current();
  const Estimate estimate =
      estimator.estimate_stages(read.views(), box_in_image(person, photo.width(), photo.height()));
  ValidationPictures pictures{draw_beside_truth(photo, estimate, person, spec, options), {}};
  const PanelOptions panel{.picture_width_px = options.map_width_px, .pose = options.pose};
  for (std::size_t stage = 0; stage < estimate.stages.size(); ++stage) {
    pictures.stages.push_back(draw_stage(photo, estimate, stage, spec, panel));
  }
  return pictures;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
