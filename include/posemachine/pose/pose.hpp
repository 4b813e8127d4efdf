// Annotated joints, estimated keypoints and the pose of one person.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>

#include <cmath>
#include <limits>
#include <span>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// What an annotation says of a joint. Only `unlabelled` joints have no position.
enum class JointState {
  unlabelled,  // nobody said where it is; its position means nothing
  outside,     // labelled, but beyond the original image's edges: supervised with an empty map
  occluded,    // hidden, its position estimated by the annotator
  visible,
};

/// An annotated joint. Shapes: position in pixels, the centre of the first pixel being (0, 0); weight 0 to 1.
struct Joint {
  Point position;
  JointState state = JointState::unlabelled;
  float weight = 1;  // how much the annotation counts in training; 0: as if there were none

  constexpr bool is_labelled() const { return state != JointState::unlabelled && weight != 0; }
};

/// An estimated joint. Shapes: position in pixels; score 0 to 1: of a calibrated model the probability that the joint
/// is right, otherwise the peak of its map. A missing joint has score 0 and no position (NaN).
struct Keypoint {
  Point position{std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  double score = 0;

  bool found() const { return std::isfinite(position.x) && std::isfinite(position.y); }
};

/// The estimated pose of one person: the box it was looked for in and its keypoints, in the order of a joint set.
struct Pose {
  Box box;
  std::vector<Keypoint> keypoints;
};

/// The mean score of all keypoints, missing ones included: of a calibrated model the share of joints that are expected
/// to be right. 0 without keypoints.
inline double mean_score(std::span<const Keypoint> keypoints) {
  double sum = 0;
  for (const Keypoint& keypoint : keypoints) sum += keypoint.found() ? keypoint.score : 0;
  return keypoints.empty() ? 0 : sum / static_cast<double>(keypoints.size());
}
inline double mean_score(const Pose& pose) { return mean_score(pose.keypoints); }

/// A person's area as a share of their box's, as tools for pose data take it where they know the box alone.
inline constexpr double area_of_box = 0.53;

}  // namespace posemachine::inline POSEMACHINE_BUILD
