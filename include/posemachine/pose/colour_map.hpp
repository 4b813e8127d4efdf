// Colours for heatmaps.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/image.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A colour for a value: black at 0 over violet, red and orange to pale yellow at 1, evenly lighter to the eye, so that
/// equal steps of the value look equal, in grey too. Values beyond 0 to 1 are clamped; NaN is black.
/// Source: inferno (van der Walt and Smith 2015, CC0), eleven of its colours, linear between them.
Rgb heat_colour(double value);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/colour_map.ipp>
#endif
