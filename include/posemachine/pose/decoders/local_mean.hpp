// local_mean: joints lie at the centroid of the peak's neighbourhood (local soft arg-max).
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/decoders/decoder_kind.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace detail {

/// The centroid of the values above 0 within 2 sigma of the peak, the window being cut on both sides alike at a border.
/// Source: the soft arg-max of Sun et al. 2018, "Integral Human Pose Regression", 2, kept to the peak's neighbourhood.
Point local_mean_offset(const Peak& peak, double sigma_cells);

}  // namespace detail

/// The centroid of the values above 0 in a window of 2 ceil(2 sigma) + 1 cells around the highest one. The window is
/// centred on a cell and cuts one tail shorter than the other, so offsets come out too small: by 4 % of a Gaussian's at
/// sigma 0.875 (7 px at stride 8), by up to 20 % at any sigma from 0.4 to 4 cells. One cell from a border the window
/// has 3 cells, and the error may be 0.2 cells. A floor of values pulls to the cell's centre, too.
inline constexpr DecoderKind local_mean_decoder{.name = "local_mean",
                                                .does = "the centroid of the peak's neighbourhood (local soft arg-max)",
                                                .offset = detail::local_mean_offset};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/decoders/local_mean.ipp>
#endif
