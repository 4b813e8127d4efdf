// Sequential, Repeat: layers one after another.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/layers/layer.hpp>

#include <array>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Every layer takes the dst of the one before. Written in place it adds no level to the names; a struct derived from
/// it is a block of the struct's name. Tags set inside stay visible after it.
template <class... Layers>
struct Sequential {
  using AddsNoScope = Sequential;

  static constexpr Value lower(Graph& graph, Value src) {
    // A loop over pointers: a fold over more than 256 layers exceeds Clang's default nesting.
    constexpr std::array<Value (*)(Graph&, Value), sizeof...(Layers)> steps{&apply<Layers>...};
    for (const auto step : steps) src = step(graph, src);
    return src;
  }
};

/// The same layer several times over, each with parameters of its own.
template <int Times, class L>
struct Repeat {
  static_assert(Times >= 0, "Repeat<times, layer>: how often, 0 or more");
  using AddsNoScope = Repeat;

  static constexpr Value lower(Graph& graph, Value src) {
    for (int i = 0; i < Times; ++i) src = apply<L>(graph, src);
    return src;
  }
};

/// A machine of several stages: First, then Next as often as it takes to have Count. Each stage ends with the Output of
/// its maps; keep_stages() cuts a network behind one of them.
template <int Count, class First, class Next>
struct Stages : Sequential<First, Repeat<Count - 1, Next>> {
  static_assert(Count >= 1, "Stages<count, first, next>: how many, 1 or more");
  using AddsNoScope = Stages;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
