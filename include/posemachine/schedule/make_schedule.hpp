// make_schedule: Graph -> Schedule, one step per node, before any pass.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/schedule/capabilities.hpp>
#include <posemachine/schedule/schedule.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

/// One step per node, every map in the blocked layout if the device has it, every value in a buffer of its own.
/// Errors: ModelError where the image's size does not fit the graph.
Schedule make_schedule(const Graph& graph, int batch, Size image, Mode mode, const Capabilities& device = {});

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/schedule/make_schedule.ipp>
#endif
