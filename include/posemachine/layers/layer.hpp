// What a layer is: a type with one function that adds it to a graph.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/fixed_string.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/layers/identifier.hpp>

#include <concepts>
#include <type_traits>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A layer has `static constexpr Value lower(Graph&, Value src)`, which adds its nodes and returns its dst.
template <class L>
concept Layer = requires(Graph& graph, Value src) {
  { L::lower(graph, src) } -> std::same_as<Value>;
};

namespace detail {

// Whether a layer adds no level to the names of what it holds: a type that says `using AddsNoScope = <itself>`. A struct
// derived from it is a block again.
template <class L>
constexpr bool adds_no_scope() {
  if constexpr (requires { typename L::AddsNoScope; }) {
    return std::is_same_v<typename L::AddsNoScope, L>;
  } else {
    return false;
  }
}

// Names a layer where a rule was broken while it was added.
template <class L>
constexpr void mark(Graph& graph, bool was_sound) {
  if (!was_sound || graph.broken.rule == Rule::none) return;
  if (graph.broken.innermost == nullptr) {
    graph.broken.innermost = &Layered<L>::mark;
  } else if (!adds_no_scope<L>()) {
    graph.broken.block = &Layered<L>::mark;
  }
}

}  // namespace detail

/// Adds a layer to a graph, inside a block of its name: how every layer calls another.
template <class L>
constexpr Value apply(Graph& graph, Value src) {
  static_assert(Layer<L>, "a layer needs: static constexpr Value lower(Graph& graph, Value src)");
  if constexpr (Layer<L>) {
    const bool was_sound = graph.broken.rule == Rule::none;
    Value dst;
    if constexpr (detail::adds_no_scope<L>()) {
      dst = L::lower(graph, src);
    } else {
      // A lambda, not &L::lower: a module may overload lower.
      dst = in_block(graph, identifier<L>, [](Graph& inner, Value value) { return L::lower(inner, value); }, src);
    }
    detail::mark<L>(graph, was_sound);
    return dst;
  } else {
    return src;
  }
}

/// Block with a name of the user's choice: Named<"head", Conv<15, 1>> owns "head_1.Conv_1.weights".
template <FixedString Name, class L>
struct Named {
  using AddsNoScope = Named;

  static constexpr Value lower(Graph& graph, Value src) { return in_block(graph, Name.view(), &apply<L>, src); }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
