// Which square of an image the network sees, and the affine map between that square and the network's input.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/model_spec.hpp>

#include <algorithm>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The square around a box: at its centre, side = box_context * its larger side.
/// Shapes: boxes in pixels from the image's left top EDGE, so that {0, 0, width, height} is the whole image; the centre
/// of the first pixel is at (0.5, 0.5) of a box and at Point (0, 0). The square may reach beyond the image.
constexpr Box crop_square(const CropRule& rule, const Box& person) {
  const double side = rule.box_context * std::max(person.width, person.height);
  return {centre(person).x - side / 2, centre(person).y - side / 2, side, side};
}

/// The square of a whole image: at its centre, side = image_scale * its larger side. Shapes: as above.
constexpr Box crop_square(const CropRule& rule, int width, int height) {
  const double side = rule.image_scale * std::max(width, height);
  return {(width - side) / 2, (height - side) / 2, side, side};
}

/// The square about the same centre in which everything is `scale` times as large in the network's input.
constexpr Box scaled_square(const Box& square, double scale) {
  const double width = square.width / scale, height = square.height / scale;
  return {square.x + (square.width - width) / 2, square.y + (square.height - height) / 2, width, height};
}

/// The map from the network's input to the image, pixel centres to pixel centres, the square's centre at the input's:
/// input pixel i lies at square.x - 0.5 + (i + 0.5) * square.width / input.width. An input that is not square sees the
/// whole square and more on its longer side, never a stretched picture. inverse() of the map takes joints to the input.
constexpr Affine image_from_input(const Box& square, Size input) {
  const double step = std::max(square.width / input.width, square.height / input.height);
  const Point middle = centre(square);
  return {step, 0,    middle.x - 0.5 - step * (input.width - 1) / 2,
          0,    step, middle.y - 0.5 - step * (input.height - 1) / 2};
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
