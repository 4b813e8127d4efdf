// Pictures of what a network in training makes of a person it is validated on.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/draw_estimate.hpp>
#include <posemachine/inference/estimate.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/model/meaning.hpp>
#include <posemachine/pose/draw_pose.hpp>
#include <posemachine/pose/panel.hpp>
#include <posemachine/pose/pose.hpp>

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// How large the pictures are, and what is drawn of a pose.
struct ValidationPictureOptions {
  int pose_width_px = 320;  // of each of the two poses
  int map_width_px = 128;   // of each heatmap: a stage's PNG has 250 kB, and its captions can be read
  DrawOptions pose{};
  ImageLimits limits{};  // of the photograph
};

struct ValidationPictures {
  Image pose;                 // what the network saw, with the annotated and with the estimated skeleton
  std::vector<Image> stages;  // draw_stage of every stage, first stage first
};

/// What the network saw, twice: with the person's labelled joints, and with the pose that was found.
/// Errors: UsageError where the person or the pose has another number of joints than the joint set; as warp.
inline Image draw_beside_truth(ImageView photo, const Estimate& estimate, const Person& person, const Meaning& meaning,
                               const ValidationPictureOptions& options = {}) {
  const SeenPart seen = cut_seen(photo, estimate.square, meaning, options.pose_width_px);
  std::vector<Keypoint> labelled;
  for (const Joint& joint : person.joints) {
    labelled.push_back(joint.is_labelled() ? Keypoint{joint.position, 1} : Keypoint{});
  }
  detail::PanelGrid grid(seen.picture.width, seen.picture.height, 2, 2);
  const auto add = [&](std::vector<Keypoint> keypoints, std::string_view name) {
    Image picture = seen.picture;
    draw_pose(picture, {estimate.pose.box, seen.placed(std::move(keypoints))}, meaning.joints, options.pose);
    grid.add(picture, name);
  };
  add(std::move(labelled), "labelled");
  add(estimate.pose.keypoints, "estimated");
  return grid.canvas();
}

/// Estimates a person as evaluate() does, and draws what every stage says.
/// Errors: DataError for a photograph that cannot be used; UsageError for a person of another joint set.
inline ValidationPictures draw_validation(Estimator& estimator, const Person& person,
                                          const ValidationPictureOptions& options = {}) {
  const Meaning& meaning = estimator.model().meaning();
  const AnyImage read = read_image_as(pixel_kind(meaning), person.image, options.limits);
  const ImageView photo(read);
  const Estimate estimate = estimator.explain(photo, box_in_image(person, photo.width(), photo.height()));
  ValidationPictures pictures{draw_beside_truth(photo, estimate, person, meaning, options), {}};
  const PanelOptions panel{.picture_width_px = options.map_width_px, .pose = options.pose};
  for (std::size_t stage = 0; stage < estimate.stages.size(); ++stage) {
    pictures.stages.push_back(draw_stage(photo, estimate, stage, meaning, panel));
  }
  return pictures;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
