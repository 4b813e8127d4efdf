// Targets of outputs besides the heatmaps: what they are drawn from, and into.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose.hpp>

#include <cmath>
#include <functional>
#include <span>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A person in a training crop, augmented.
struct TargetSample {
  const Person& person;            // as annotated: image names the photograph, beside which other files may lie
  std::span<const Joint> joints;   // in pixels of the network's input, left and right exchanged where it is mirrored
  const Affine& image_from_input;  // from pixels of the input to those of the photograph, mirroring included
  bool mirrored = false;
  Size input;  // pixels
  const JointSet& joint_set;
};

/// Where the targets of one person go, for one output. cell_centre(x, stride) is a cell's place in pixels of the input.
struct TargetMaps {
  std::span<float> maps;     // (channels, map.height, map.width), 0 at first
  std::span<float> weights;  // (channels), 1 at first; 0: the map says nothing
  Size map;                  // cells
  double stride = 1;         // pixels of the input per cell
};

/// Draws targets. Nothing but its arguments, and files that do not change, decides what: a resumed run draws the same.
/// Several threads call it at once.
using DrawTargets = std::function<void(const TargetSample& sample, const TargetMaps& into)>;

/// An output that needs targets.
struct OutputTargets {
  std::string name{};  // of the output, for messages
  int channels = 1;
  Size map{};         // cells
  double stride = 1;  // pixels of the input per cell
  DrawTargets draw{};
};

/// Draws and checks them. Errors: UsageError for a target that is not finite, or a weight outside 0 to 1.
inline void draw_checked(const OutputTargets& output, const TargetSample& sample, const TargetMaps& into) {
  output.draw(sample, into);
  bool right = true;
  for (const float value : into.maps) right = right && std::isfinite(value);
  for (const float weight : into.weights) right = right && weight >= 0 && weight <= 1;
  if (right) return;
  fail<UsageError>({.where = "targets of the output " + output.name + " for " + sample.person.image.string(),
                    .expected = "finite values, and weights of 0 to 1",
                    .got = "others"});
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
