// set_output_channels: the same network for another number of joints.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// Gives convolutions' parameters, and every value, the shapes that follow from the options.
void update_channels(Graph& graph);

}  // namespace detail

/// Gives every output so many channels: the convolutions that make them, and what reads their maps (CPM's next stages),
/// get the shapes that follow. Names stay. Errors: ModelError for an output that no convolution makes, or where another
/// layer depends on the channels it had.
void set_output_channels(Graph& graph, int count);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/graph/passes/set_output_channels.ipp>
#endif
