// The JSON form of a graph: what a model file holds, readable without the type.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/model/op_set.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

inline constexpr std::array<std::string_view, 7> init_names{"zeros",    "ones",           "he_normal", "lecun_normal",
                                                            "quarters", "fan_in_uniform", "near_zero"};

/// What the JSON form may hold: far above any network of the field, and little enough to be read in moments.
inline constexpr std::size_t max_graph_nodes = 10'000;
inline constexpr std::size_t max_graph_parameters = 40'000;
inline constexpr std::size_t max_graph_ports = 256;  // inputs, and outputs
inline constexpr std::size_t max_name_bytes = 1000;  // of a parameter or block with its path, or of a port

/// Errors: ModelError naming `where` and what is too large for a model file.
void check_limits(const Graph& graph, const std::string& where);

/// {"parameters": [...], "nodes": [...], "inputs": [...], "outputs": [...]}: nodes in order, values and parameters by
/// number.
Json graph_to_json(const Graph& graph);

namespace detail {

// An integer in a range; JSON made in memory holds signed ones, JSON read from text unsigned ones.
bool is_integer_within(const Json& json, std::int64_t low, std::int64_t high);

}  // namespace detail

/// Reads the JSON form; every number is checked before it is used. `ops` are the operations that the file may name.
/// Errors: ModelError naming `where` and the field.
Graph graph_from_json(const Json& json, const std::string& where, const OpSet& ops = OpSet());

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/model/graph_json.ipp>
#endif
