// The definitions of pose/colour_map.hpp.
#pragma once

#include <posemachine/pose/colour_map.hpp>

#include <posemachine/pose/draw.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE Rgb heat_colour(double value) {
  constexpr std::array<Rgb, 11> colours{{{0, 0, 4},
                                         {22, 11, 57},
                                         {66, 10, 104},
                                         {106, 23, 110},
                                         {147, 38, 103},
                                         {188, 55, 84},
                                         {221, 81, 58},
                                         {243, 120, 25},
                                         {252, 165, 10},
                                         {246, 215, 70},
                                         {252, 255, 164}}};
  if (!(value > 0)) return colours.front();
  const double at = std::min(value, 1.0) * (colours.size() - 1);
  const std::size_t below = std::min(static_cast<std::size_t>(at), colours.size() - 2);
  return mix(colours[below], colours[below + 1], at - static_cast<double>(below));
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
