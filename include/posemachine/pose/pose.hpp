// Annotated joints, estimated keypoints and the pose of one person.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/decoded.hpp>

#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

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

/// Numbers and keypoints with names: what the library's decoders of outputs make, and what JSON of poses can hold.
using NamedNumbers = std::vector<std::pair<std::string, double>>;      // NaN: unknown
using NamedKeypoints = std::vector<std::pair<std::string, Keypoint>>;  // in pixels of the image

/// The estimated pose of one person: the box it was looked for in and its keypoints, in the order of a joint set.
struct Pose {
  Box box;
  std::vector<Keypoint> keypoints;
  std::vector<DecodedOutput> outputs{};  // those of the model that name a decoder, in the network's order

  /// The value of one of them: pose.decoded<NamedNumbers>("fields").
  /// Errors: UsageError where no output of that name was decoded, or to another type.
  template <class T>
  const T& decoded(std::string_view output) const {
    std::string known;
    for (const DecodedOutput& each : outputs) {
      if (each.name == output) return each.as<T>();
      known += (known.empty() ? "" : ", ") + each.name;
    }
    fail<UsageError>({.where = "decoded outputs of a pose",
                      .expected = known.empty() ? "an output with a decoder" : "one of " + known,
                      .got = std::string(output)});
  }
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

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
