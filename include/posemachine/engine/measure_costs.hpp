// measure_costs: every convolution of a graph, in every way there is, timed on this machine.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/schedule/cost_model.hpp>

#include <functional>
#include <optional>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

// Runs in turn, so that what else the machine does falls on every method. The least of each: what comes on top is not
// the convolution's. Nothing where the machine was so busy that even that cannot be trusted.
std::optional<schedule::MethodTimes> measure(const schedule::ConvolutionCase& which, int threads);

}  // namespace detail

/// The convolutions of one image that a program could do in more than one way, each once.
/// Errors: ModelError where the image's size does not fit the graph.
std::vector<schedule::ConvolutionCase> convolution_cases(const Graph& graph, Size image);

/// Adds to `costs` what the convolutions of `graph` take here, for one image of a size and a number of threads: each
/// some tenths of a second, or as long as it takes five times in every way. What has been measured before stays.
/// `before_each(done, count)` may throw to end it. Returns how many are missing because others used the cores.
/// Errors: as Program's constructor.
int measure_costs(schedule::CostModel& costs, const Graph& graph, Size image, int threads,
                  const std::function<void(int, int)>& before_each = {});

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/measure_costs.ipp>
#endif
