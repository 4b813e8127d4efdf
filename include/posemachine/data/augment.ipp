// The definitions of data/augment.hpp.
#pragma once

#include <posemachine/data/augment.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE SampleRange sample_range(const Normalisation& normalisation, int bit_depth) {
  if (bit_depth != 16) return {};
  return {normalisation.mean[0], 1 / std::abs(normalisation.scale[0])};
}

POSEMACHINE_INLINE Box close_up_square(std::span<const Joint> joints, const Box& square, double which) {
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

POSEMACHINE_INLINE Augmentation draw_augmentation(const AugmentOptions& options, const Box& square, Size input,
                                                  RandomStream& stream, std::span<const Joint> joints,
                                                  const SampleRange& range, int channels) {
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

POSEMACHINE_INLINE double least_shrink(const AugmentOptions& options, const Box& square, Size input,
                                       std::span<const Joint> joints) {
  double step = image_from_input(square, input).a;
  const std::size_t count = options.close_up_probability > 0 ? joints.size() : 0;
  for (std::size_t j = 0; j < count; ++j) {  // so that each labelled joint is chosen once at least
    const double which = (static_cast<double>(j) + 0.5) / static_cast<double>(count);
    step = std::min(step, image_from_input(close_up_square(joints, square, which), input).a);
  }
  return step / options.scale_max;
}

POSEMACHINE_INLINE void hide(const Box& cutout, Size input, float* pixels, int channels) {
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

POSEMACHINE_INLINE std::vector<Joint> joints_in_input(std::span<const Joint> joints, const Augmentation& drawn,
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

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
