// What a network's description may ask for, before anything of it is allocated.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// What a description may ask for: far above any network of the field.
inline constexpr int max_description_steps = 100'000;         // layers, lists and blocks, written or added by repeats
inline constexpr std::size_t max_description_names = 10'000;  // of blocks, tags and ports
inline constexpr int max_description_blocks = 16;             // open inside one another
inline constexpr std::int64_t max_description_numbers = std::int64_t{1} << 30;  // in all parameters: 4 GiB

namespace detail {

// Everything that a Model or an execution would allocate for is bounded here.
void check_description(const Graph& graph, const std::string& where);

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/model/description_limits.ipp>
#endif
