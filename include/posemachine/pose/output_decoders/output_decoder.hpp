// An output decoder: what the maps of an output besides the heatmaps say of one person.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/map.hpp>
#include <posemachine/pose/decoded.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose.hpp>

#include <functional>
#include <span>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The maps of one output for one person, and what was found of them. cell_centre(x, stride) is a cell's place in
/// pixels of the input.
struct OutputMaps {
  std::string_view name;                // of the output
  std::string_view role;                // as OutputSpec::role
  MapView<const float> maps;            // (1, C, H / stride, W / stride), row-major
  double stride = 1;                    // pixels of the input per cell
  std::span<const Keypoint> keypoints;  // of the last stage, in pixels of the input; scores as in the pose
  const JointSet& joint_set;
  const Affine& image_from_input;  // from pixels of the input that the maps saw to those of the image
  Size input;                      // pixels
  Size image;                      // pixels
};

/// A way of decoding an output: a row of OutputDecoders. Model files name it.
struct OutputDecoder {
  std::string_view name{};
  std::string_view does{};  // a line for people
  /// Returns a value of any type, which users take out by it: Pose::decoded. Several threads call it at once.
  std::function<Decoded(const OutputMaps&)> decode{};
  int (*channels)(const JointSet& joints) = nullptr;  // that the output must have; null: any number
};

namespace detail {

// A position of the input in the image, moved to the nearest pixel where it is outside, as keypoints are.
Point place_in_image(Point in_input, const Affine& image_from_input, Size image);

// The cell that a position of the input is in; of those beyond the map the nearest one.
Point nearest_cell(Point in_input, double stride, int height, int width);

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/output_decoders/output_decoder.ipp>
#endif
