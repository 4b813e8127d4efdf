// Random variation of a training sample, all of its geometry in one affine map.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/data/crop.hpp>
#include <posemachine/data/warp.hpp>
#include <posemachine/model/joint_set.hpp>
#include <posemachine/pose/pose.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// How much training samples vary. Source for rotation, scale and flip: the paper's section on training.
struct AugmentOptions {
  double rotation_deg = 40;        // uniform in -rotation_deg .. rotation_deg
  double scale_min = 0.7;          // uniform in scale_min .. scale_max; above 1 the person appears larger
  double scale_max = 1.3;
  double flip_probability = 0.5;   // mirrored left to right
  double shift = 0.05;             // of the crop's side: uniform in -shift .. shift, each way
  double brightness = 0.1;         // of 255: uniform in -brightness .. brightness, added to all channels
  double contrast = 0.2;           // factor about 128: uniform in 1 - contrast .. 1 + contrast
  double colour = 0.1;             // factor per channel: uniform in 1 - colour .. 1 + colour
};

/// What was drawn for a sample.
struct Augmentation {
  Affine image_from_input;  // the whole geometry, mirroring included
  bool mirrored = false;    // then left and right joints change places
  Photometric photometric;
};

/// A sample without variation: the square, as evaluation sees it.
constexpr Augmentation unaugmented(const Box& square, Size input) {
  return {image_from_input(square, input), false, {}};
}

/// Draws a sample's variation from its own stream. Every draw is made whatever the options, in a fixed order, so that
/// switching one kind off changes no other.
/// Shapes: `square` as crop_square gives it; the input's centre maps to the square's, moved by the shift.
inline Augmentation draw_augmentation(const AugmentOptions& options, const Box& square, Size input,
                                      RandomStream& stream) {
  const double angle_rad = stream.uniform(-options.rotation_deg, options.rotation_deg) * std::numbers::pi / 180;
  const double zoom = stream.uniform(options.scale_min, options.scale_max);
  const double shift_x = stream.uniform(-options.shift, options.shift) * input.width;
  const double shift_y = stream.uniform(-options.shift, options.shift) * input.height;
  const bool mirrored = stream.uniform() < options.flip_probability;
  const double brightness = 255 * stream.uniform(-options.brightness, options.brightness);
  const double contrast = stream.uniform(1 - options.contrast, 1 + options.contrast);

  // Input pixels are mirrored (x -> W - 1 - x), turned and shrunk about the input's centre, then placed in the image.
  const Point middle{(input.width - 1) / 2.0, (input.height - 1) / 2.0};
  const Affine to_centre{mirrored ? -1.0 : 1.0, 0, mirrored ? middle.x : -middle.x, 0, 1, -middle.y};
  const double c = std::cos(angle_rad) / zoom;
  const double s = std::sin(angle_rad) / zoom;
  const Affine turned{c, -s, middle.x + shift_x, s, c, middle.y + shift_y};

  Augmentation drawn;
  drawn.mirrored = mirrored;
  drawn.image_from_input = compose(image_from_input(square, input), compose(turned, to_centre));
  for (std::size_t channel = 0; channel < 3; ++channel) {
    drawn.photometric.gain[channel] = contrast * stream.uniform(1 - options.colour, 1 + options.colour);
    drawn.photometric.bias[channel] = 128 * (1 - contrast) + brightness;
  }
  return drawn;
}

/// A sample's joints in input pixels: moved by the inverse map and, where mirrored, left and right exchanged, each with
/// its state and weight.
inline std::vector<Joint> joints_in_input(std::span<const Joint> joints, const Augmentation& drawn,
                                          const JointSet& set) {
  const Affine input_from_image = inverse(drawn.image_from_input);
  const std::vector<int> partner = mirror(set);
  std::vector<Joint> moved(joints.size());
  for (std::size_t j = 0; j < joints.size(); ++j) {
    const std::size_t source = drawn.mirrored ? static_cast<std::size_t>(partner[j]) : j;
    moved[j] = joints[source];
    moved[j].position = apply(input_from_image, joints[source].position);
  }
  return moved;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
