// The definitions of model/description_limits.hpp.
#pragma once

#include <posemachine/model/description_limits.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/model/graph_json.hpp>

#include <algorithm>
#include <set>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE void check_description(const Graph& graph, const std::string& where) {
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

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
