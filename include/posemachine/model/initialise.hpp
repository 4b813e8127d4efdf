// First values of parameters, as each operation states them.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>

#include <cstdint>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// One tensor per parameter, by id, drawn from (seed, parameter). Sources: see Init.
std::vector<Tensor> initialise(const Graph& graph, std::uint64_t seed);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/model/initialise.ipp>
#endif
