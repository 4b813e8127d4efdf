// The definitions of pose/output_decoders/output_decoder.hpp.
#pragma once

#include <posemachine/pose/output_decoders/output_decoder.hpp>

#include <posemachine/pose/targets.hpp>

#include <algorithm>
#include <cmath>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace detail {

POSEMACHINE_INLINE Point place_in_image(Point in_input, const Affine& image_from_input, Size image) {
  const Point at = apply(image_from_input, in_input);
  return {std::clamp(at.x, 0.0, image.width - 1.0), std::clamp(at.y, 0.0, image.height - 1.0)};
}

POSEMACHINE_INLINE Point nearest_cell(Point in_input, double stride, int height, int width) {
  const auto cell = [stride](double at, int cells) {
    return std::clamp(std::round((at - cell_centre(0, stride)) / stride), 0.0, cells - 1.0);
  };
  return {cell(in_input.x, width), cell(in_input.y, height)};
}

}  // namespace detail
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
