// What a training program computes twice instead of keeping it: chosen for the smallest arena.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/schedule/capabilities.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

/// A differentiated graph with forward nodes computed again before the backward nodes that read them, wherever that
/// takes less memory: two to sixteen segments are tried, and the best kept. Costs up to one more forward pass.
/// Errors: ModelError where the size does not fit the graph.
Graph recompute_for_memory(const Graph& graph, int batch, Size image, const Capabilities& device);

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/schedule/recomputation.ipp>
#endif
