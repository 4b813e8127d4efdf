// arg_max: joints lie at the centre of the highest cell.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/decoders/decoder_kind.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The centre of the highest cell: up to 0.5 cells away from the joint along each axis.
inline constexpr DecoderKind arg_max_decoder{
    .name = "arg_max", .does = "the centre of the highest cell", .offset = [](const Peak&, double) { return Point{}; }};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
