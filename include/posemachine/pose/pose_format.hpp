// PoseFormat: how poses are written as text, for one image or for many in one file.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose.hpp>

#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The poses of one image, as formats take them. Shapes: poses in pixels of the image, one keypoint per joint.
struct ImagePoses {
  std::string image;  // its name, as it was given
  int width = 0;      // pixels
  int height = 0;
  std::int64_t id = 0;  // COCO's image_id; only formats that need one read it
  std::vector<Pose> poses;
  // Whether a calibrated model finds a person on the whole image; none where nobody judged that. JSON keeps the pose of
  // nobody and says so; the other formats of the library write none.
  std::optional<bool> shows_person{};
};

/// A format of poses: a row of PoseFormats. A file is `begin`, the texts of its images, and `end`; `separator` stands
/// between texts that are not empty.
struct PoseFormat {
  std::string_view name{};
  std::string_view does{};         // a line for people
  std::string_view file_ending{};  // of a file that holds one image, after the image's stem: "_keypoints.json"
  bool one_image = false;          // per file: several images need a file each
  bool needs_id = false;           // reads ImagePoses::id
  bool for_people = false;         // meant to be read, not parsed: weak keypoints may be left out
  /// Errors: UsageError for joints that the format cannot name. Null: nothing is written first.
  std::string (*begin)(const JointSet& joints) = nullptr;
  /// Shapes: as many keypoints in each pose as the set has joints.
  std::string (*text)(const ImagePoses& image, const JointSet& joints) = nullptr;
  std::string_view separator{};
  std::string_view end{};
};

/// Writes one file of a format, piece by piece: begin(), next() for each image, end().
class PoseWriter {
 public:
  PoseWriter(const PoseFormat& format, JointSet joints) : format_(format), joints_(std::move(joints)) {}

  /// Errors: as PoseFormat::begin.
  std::string begin() const { return format_.begin != nullptr ? format_.begin(joints_) : ""; }

  /// Errors: UsageError for a pose with another number of keypoints than the set has joints.
  std::string next(const ImagePoses& image);

  std::string end() const { return std::string(format_.end); }

 private:
  PoseFormat format_;
  JointSet joints_;
  bool separate_ = false;  // something came before
};

/// A file that holds this one image. Errors: as PoseWriter.
std::string write_poses(const PoseFormat& format, const ImagePoses& image, const JointSet& joints);

namespace detail {

// The poses of people: none on an image that shows nobody.
inline std::span<const Pose> poses_of_people(const ImagePoses& image) {
  return image.shows_person == false ? std::span<const Pose>{} : std::span<const Pose>(image.poses);
}

// Powers of two: numbers that are exact in binary are short in decimal.
inline double rounded_position(double px) { return std::round(px / 0x1p-10) * 0x1p-10; }
inline double rounded_score(double score) { return std::round(score / 0x1p-16) * 0x1p-16; }

// One line, without its end. Bytes that are not UTF-8, which names of files may have, are replaced.
inline std::string json_text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// x, y and score of each keypoint in a row; three zeros where it is missing.
Json keypoint_triples(const Pose& pose);

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/pose_format.ipp>
#endif
