// The definitions of pose/formats/text.hpp.
#pragma once

#include <posemachine/pose/formats/text.hpp>

#include <cstddef>

#include <algorithm>
#include <array>
#include <charconv>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// As printf's %*.*f and %g write it, in every locale.
POSEMACHINE_INLINE std::string fixed_text(double value, int decimals, std::size_t width = 0) {
  std::array<char, 400> digits;  // the largest double has 309 before the point
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed, decimals);
  const std::string text(digits.data(), end.ptr);
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

POSEMACHINE_INLINE std::string short_text(double value) {
  std::array<char, 40> digits;
  return {digits.data(),
          std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::general, 6).ptr};
}

POSEMACHINE_INLINE std::string text_of_poses(const ImagePoses& image, const JointSet& joints) {
  std::string text =
      image.image + ": " + std::to_string(image.width) + " x " + std::to_string(image.height) + " pixels\n";
  const std::span<const Pose> poses = poses_of_people(image);
  if (poses.empty()) text += "no person\n";
  for (const Pose& pose : poses) {
    const Box& box = pose.box;
    text += "person in " + short_text(box.x) + "," + short_text(box.y) + "," + short_text(box.width) + "," +
            short_text(box.height) + ", score " + fixed_text(mean_score(pose), 2) + "\n";
    for (std::size_t j = 0; j < pose.keypoints.size(); ++j) {
      const Keypoint& keypoint = pose.keypoints[j];
      const std::string& name = joints.joints[j];
      text += "  " + name + std::string(16 - std::min<std::size_t>(16, name.size()), ' ');
      text += keypoint.found() ? fixed_text(keypoint.position.x, 1, 8) + " " + fixed_text(keypoint.position.y, 1, 8) +
                                     "   " + fixed_text(keypoint.score, 2) + "\n"
                               : "not found\n";
    }
  }
  return text;
}

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
