// quarter_offset: joints lie a quarter of a cell from the centre of the highest one.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/decoders/decoder_kind.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace detail {

/// 0.25 towards the higher of a cell's two neighbours along an axis; 0 where they are equal.
inline double quarter_towards(float before, float after) {
  if (after > before) return 0.25;
  return after < before ? -0.25 : 0.0;
}

inline Point quarter_offset(const Peak& peak) {
  return {peak.room_x() > 0 ? quarter_towards(peak.at(-1, 0), peak.at(1, 0)) : 0.0,
          peak.room_y() > 0 ? quarter_towards(peak.at(0, -1), peak.at(0, 1)) : 0.0};
}

}  // namespace detail

/// A quarter of a cell towards the higher neighbour along each axis: up to 0.25 cells away from a Gaussian's centre.
inline constexpr DecoderKind quarter_offset_decoder{
    .name = "quarter_offset",
    .does = "a quarter of a cell towards the higher neighbour along each axis",
    .offset = [](const Peak& peak, double) { return detail::quarter_offset(peak); }};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
