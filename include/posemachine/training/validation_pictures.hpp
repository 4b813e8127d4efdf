// Pictures of what a network in training makes of a person it is validated on.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io_format.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/estimate.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/pose/draw_pose.hpp>
#include <posemachine/pose/model_spec.hpp>

#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

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
Image draw_beside_truth(ImageView photo, const Estimate& estimate, const Person& person, const ModelSpec& spec,
                        const ValidationPictureOptions& options = {});

/// Estimates a person as evaluate() does, and draws what every stage says.
/// Errors: DataError for a photograph that cannot be used; UsageError for a person of another joint set.
ValidationPictures draw_validation(Estimator& estimator, const Person& person,
                                   const ValidationPictureOptions& options = {});

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/validation_pictures.ipp>
#endif
