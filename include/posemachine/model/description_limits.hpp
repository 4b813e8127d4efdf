// What a network's description may ask for, before anything of it is allocated.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/model/graph_json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

namespace posemachine::inline POSEMACHINE_BUILD {

/// What a description may ask for: far above any network of the field.
inline constexpr int max_description_steps = 100'000;         // layers, lists and blocks, written or added by repeats
inline constexpr std::size_t max_description_names = 10'000;  // of blocks, tags and ports
inline constexpr int max_description_blocks = 16;             // open inside one another
inline constexpr std::int64_t max_description_numbers = std::int64_t{1} << 30;  // in all parameters: 4 GiB

namespace detail {

// Everything that a Model or an execution would allocate for is bounded here.
inline void check_description(const Graph& graph, const std::string& where) {
  check_limits(graph, where);
  std::int64_t numbers = 0;
  for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
    numbers += std::min(graph.parameters[id].size(), max_description_numbers + 1);
    if (numbers <= max_description_numbers) continue;
    fail<ModelError>({.where = where + ": " + parameter_name(graph, static_cast<int>(id)),
                      .expected = "at most " + std::to_string(max_description_numbers) + " numbers in all parameters",
                      .got = "more"});
  }
  std::set<std::string> names;
  for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
    const std::string name = parameter_name(graph, static_cast<int>(id));
    if (names.insert(name).second) continue;
    fail<ModelError>({.where = where, .expected = "a name of its own for every parameter", .got = name + " twice"});
  }
}

}  // namespace detail

}  // namespace posemachine::inline POSEMACHINE_BUILD
