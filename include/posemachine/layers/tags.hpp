// Tag, Retag, From: names for values, so that any directed acyclic graph can be written as a sequence.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/fixed_string.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>

#include <cstddef>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// Position of a visible tag, or -1.
constexpr int find_tag(const Graph& graph, int name) {
  for (std::size_t i = graph.tags.size(); i-- > 0;) {
    if (graph.tags[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

constexpr Value tag_value(Graph& graph, Value value, std::string_view text, bool may_move) {
  const int name = intern(graph, text);
  const int at = find_tag(graph, name);
  require(graph, may_move || at < 0, Rule::tag_repeated, static_cast<int>(graph.tags.size()),
          static_cast<int>(graph.nodes.size()));
  if (at < 0) {
    graph.tags.push_back({name, value.id});
  } else {
    graph.tags[static_cast<std::size_t>(at)].value = value.id;
  }
  return value;
}

}  // namespace detail

/// Names a value, and returns it. Errors: ModelError where the name is visible already.
constexpr Value set_tag(Graph& graph, Value value, std::string_view name) {
  return detail::tag_value(graph, value, name, false);
}

/// Names a value or moves the name to it, and returns the value.
constexpr Value move_tag(Graph& graph, Value value, std::string_view name) {
  return detail::tag_value(graph, value, name, true);
}

/// The value of that name. Errors: ModelError where no tag of this name is visible.
constexpr Value tagged_value(Graph& graph, std::string_view name) {
  const int at = detail::find_tag(graph, intern(graph, name));
  const bool found = require(graph, at >= 0, Rule::tag_unknown, static_cast<int>(graph.tags.size()),
                             static_cast<int>(graph.nodes.size()));
  return {found ? graph.tags[static_cast<std::size_t>(at)].value : 0};
}

/// Names the current value. Errors: a rule, where the name is visible already.
template <FixedString Name>
struct Tag {
  using AddsNoScope = Tag;
  static constexpr Value lower(Graph& graph, Value src) { return set_tag(graph, src, Name.view()); }
};

/// Names the current value, or moves the name to it.
template <FixedString Name>
struct Retag {
  using AddsNoScope = Retag;
  static constexpr Value lower(Graph& graph, Value src) { return move_tag(graph, src, Name.view()); }
};

/// Goes on from a named value. Errors: a rule, where no tag of this name is visible.
template <FixedString Name>
struct From {
  using AddsNoScope = From;
  static constexpr Value lower(Graph& graph, Value) { return tagged_value(graph, Name.view()); }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
