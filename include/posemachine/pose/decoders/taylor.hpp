// taylor: joints lie at the maximum that a Gaussian's slope and curvature give (DARK).
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/decoders/decoder_kind.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace detail {

/// One Newton step on the logarithm of the map, smoothed by a Gaussian of the targets' width; a quarter offset where
/// the logarithm is not concave or the step leaves the neighbouring cells.
/// Source: Zhang et al. 2020, "Distribution-Aware Coordinate Representation for Human Pose Estimation", 3.1 and 3.2.
/// Its rescaling of the smoothed map to the old maximum adds a constant to the logarithm: neither slope nor curvature
/// has it. Its kernel meets zeros beyond the map, which draw peaks near a border inwards; ours is cut to what fits.
Point taylor_offset(const Peak& peak, double sigma_cells);

}  // namespace detail

/// The maximum that slope and curvature of the logarithm give, after smoothing by a Gaussian of the targets' width.
/// Within 0.004 cells of a Gaussian's centre if its sigma is 0.8 cells or more (0.06 at 0.5 cells); a quarter offset
/// where the smoothed peak is not concave or lies more than a cell away.
inline constexpr DecoderKind taylor_decoder{.name = "taylor",
                                            .does = "the maximum of the Gaussian that touches the peak (DARK)",
                                            .offset = detail::taylor_offset};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/decoders/taylor.ipp>
#endif
