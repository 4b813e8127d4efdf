// Random variation of a training sample, all of its geometry in one affine map.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/data/crop.hpp>
#include <posemachine/data/warp.hpp>
#include <posemachine/model/joint_set.hpp>
#include <posemachine/model/meaning.hpp>
#include <posemachine/pose/pose.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// How much training samples vary. Source for rotation, scale and flip: the paper's section on training.
struct AugmentOptions {
  double rotation_deg = 40;  // uniform in -rotation_deg .. rotation_deg
  double scale_min = 0.7;    // uniform in scale_min .. scale_max; above 1 the person appears larger
  double scale_max = 1.3;
  double flip_probability = 0.5;    // mirrored left to right
  double shift = 0.05;              // of the crop's side: uniform in -shift .. shift, each way
  double brightness = 0.1;          // of SampleRange::span: uniform in -brightness .. brightness, for all channels
  double contrast = 0.2;            // factor about SampleRange::middle: uniform in 1 - contrast .. 1 + contrast
  double colour = 0.1;              // factor per channel: uniform in 1 - colour .. 1 + colour; not of grey
  double turn_probability = 0;      // of an angle that is uniform in -180 .. 180 degrees instead
  double close_up_probability = 0;  // of close_up_square() in place of the whole person's
  double cutout_probability = 0;    // of a rectangle of the mean colour, each side 0.15 to 0.4 of the input's
};

/// The measure of brightness and contrast, in pixel values. 8-bit pictures have the span of their samples. 16-bit ones
/// seldom fill theirs: the model's normalisation says what counts, its mean the middle, and a span of 1 / scale.
struct SampleRange {
  double middle = 128;
  double span = 255;
};
inline SampleRange sample_range(const Normalisation& normalisation, int bit_depth) {
  if (bit_depth != 16) return {};
  return {normalisation.mean[0], 1 / std::abs(normalisation.scale[0])};
}

/// What was drawn for a sample.
struct Augmentation {
  Affine image_from_input;  // the whole geometry, mirroring included
  bool mirrored = false;    // then left and right joints change places
  Photometric photometric;
  Box cutout;  // in input pixels from the left top edge; of no width: nothing is hidden
};

/// A sample without variation: the square, as evaluation sees it.
constexpr Augmentation unaugmented(const Box& square, Size input) {
  return {image_from_input(square, input), false, {}, {}};
}

/// The square around half of a person's joints: the one that `which` chooses, 0 <= which < 1, and those nearest to it.
/// Its side is 1.5 times their box's larger side, at least 0.4 times and at most once that of `square`. Where fewer than
/// four joints are labelled within the image it is `square`.
inline Box close_up_square(std::span<const Joint> joints, const Box& square, double which) {
  std::vector<Point> seen;
  for (const Joint& joint : joints) {
    if (joint.is_labelled() && joint.state != JointState::outside) seen.push_back(joint.position);
  }
  if (seen.size() < 4) return square;
  const Point chosen = seen[static_cast<std::size_t>(which * static_cast<double>(seen.size()))];
  const auto distance = [&](const Point& p) { return std::hypot(p.x - chosen.x, p.y - chosen.y); };
  std::stable_sort(seen.begin(), seen.end(), [&](const Point& a, const Point& b) { return distance(a) < distance(b); });
  seen.resize((seen.size() + 1) / 2);
  const auto by_x = [](const Point& a, const Point& b) { return a.x < b.x; };
  const auto by_y = [](const Point& a, const Point& b) { return a.y < b.y; };
  const auto [left, right] = std::minmax_element(seen.begin(), seen.end(), by_x);
  const auto [top, bottom] = std::minmax_element(seen.begin(), seen.end(), by_y);
  const double larger = std::max(right->x - left->x, bottom->y - top->y);
  const double side = std::min(std::max(1.5 * larger, 0.4 * square.width), square.width);
  return {(left->x + right->x) / 2 + 0.5 - side / 2, (top->y + bottom->y) / 2 + 0.5 - side / 2, side, side};
}

/// Draws a sample's variation from its own stream. Every draw is made whatever the options, in a fixed order, so that
/// switching one kind off changes no other.
/// Shapes: `square` as crop_square gives it; the input's centre maps to the square's, moved by the shift. `joints` in
/// pixels of the image, for close-ups. `channels` of the picture: one channel has no colours to change.
/// Source for close-ups: Wang et al. 2018 (mscoco keypoint challenge 2018, half-body augmentation), here of any half;
/// for cut-outs: DeVries and Taylor 2017.
inline Augmentation draw_augmentation(const AugmentOptions& options, const Box& square, Size input,
                                      RandomStream& stream, std::span<const Joint> joints = {},
                                      const SampleRange& range = {}, int channels = 3) {
  double angle_deg = stream.uniform(-options.rotation_deg, options.rotation_deg);
  const double zoom = stream.uniform(options.scale_min, options.scale_max);
  const double shift_x = stream.uniform(-options.shift, options.shift) * input.width;
  const double shift_y = stream.uniform(-options.shift, options.shift) * input.height;
  Augmentation drawn;
  drawn.mirrored = stream.uniform() < options.flip_probability;
  const double brightness = range.span * stream.uniform(-options.brightness, options.brightness);
  const double contrast = stream.uniform(1 - options.contrast, 1 + options.contrast);
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const double colour = stream.uniform(1 - options.colour, 1 + options.colour);
    drawn.photometric.gain[channel] = channels == 1 ? contrast : contrast * colour;
    drawn.photometric.bias[channel] = range.middle * (1 - contrast) + brightness;
  }
  const bool turns = stream.uniform() < options.turn_probability;
  const double any_angle_deg = stream.uniform(-180, 180);
  if (turns) angle_deg = any_angle_deg;
  const bool is_close_up = stream.uniform() < options.close_up_probability;
  const double which = stream.uniform();
  const Box seen = is_close_up ? close_up_square(joints, square, which) : square;
  const bool hides = stream.uniform() < options.cutout_probability;
  Box cutout;
  cutout.width = stream.uniform(0.15, 0.4) * input.width;
  cutout.height = stream.uniform(0.15, 0.4) * input.height;
  cutout.x = stream.uniform() * input.width - cutout.width / 2;
  cutout.y = stream.uniform() * input.height - cutout.height / 2;
  if (hides) drawn.cutout = cutout;

  // Input pixels are mirrored (x -> W - 1 - x), turned and shrunk about the input's centre, then placed in the image.
  const Point middle{(input.width - 1) / 2.0, (input.height - 1) / 2.0};
  const Affine to_centre{drawn.mirrored ? -1.0 : 1.0, 0, drawn.mirrored ? middle.x : -middle.x, 0, 1, -middle.y};
  const double angle_rad = angle_deg * std::numbers::pi / 180;
  const double c = std::cos(angle_rad) / zoom;
  const double s = std::sin(angle_rad) / zoom;
  const Affine turned{c, -s, middle.x + shift_x, s, c, middle.y + shift_y};
  drawn.image_from_input = compose(image_from_input(seen, input), compose(turned, to_centre));
  return drawn;
}

/// Sets the pixels whose centres lie in the cutout to 0, the mean.
/// Shapes: pixels (channels, input.height, input.width).
inline void hide(const Box& cutout, Size input, float* pixels, int channels = 3) {
  const auto first = [](double edge, int count) {
    return std::clamp(static_cast<int>(std::ceil(edge - 0.5)), 0, count);
  };
  const int left = first(cutout.x, input.width), right = first(cutout.x + cutout.width, input.width);
  const int top = first(cutout.y, input.height), bottom = first(cutout.y + cutout.height, input.height);
  for (int channel = 0; channel < channels; ++channel) {
    for (int y = top; y < bottom; ++y) {
      float* row = pixels + (std::ptrdiff_t{channel} * input.height + y) * input.width;
      std::fill(row + left, row + right, 0.0f);
    }
  }
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
