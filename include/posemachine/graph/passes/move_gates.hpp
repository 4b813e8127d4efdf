// move_gates: a map that is gated and then averaged is averaged first.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A factor for each channel commutes with a mean over its cells, whatever the window: the gate then works on as many
/// cells less as the window takes together (64 times for 8 x 8). Where several operations read the gated map, or it is
/// an output, nothing is gained and nothing changes. For forward graphs.
void move_gates(Graph& graph);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/graph/passes/move_gates.ipp>
#endif
