// DilationModule: parallel 3x3 convolutions at several rates, concatenated with what they looked at.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/concat.hpp>
#include <posemachine/modules/convolution_relu.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Channels of each branch, where a module takes rates as plain numbers: DilationModule<1, 2, Width{48}>.
struct Width {
  std::int32_t channels = 32;
  Norm norm = Norm::none;  // before each ReLU
};

/// (C, H, W) -> (C + rates * width, H, W): src, then a 3x3 convolution with ReLU for each rate (1 is dense, padding
/// equal to the rate). Errors: a rule, for a rate below 1. Source: Nie et al. 2019, 3.3, Fig. 5.
constexpr Value dilation_module(Graph& graph, Value src, std::span<const std::int32_t> rates, const Width& width) {
  std::vector<Value> branches{src};
  for (const std::int32_t rate : rates) {
    require(graph, rate >= 1, Rule::dilation_rate, static_cast<int>(branches.size()), rate);
    branches.push_back(
        convolution_relu(graph, src, {.out = width.channels, .kernel = 3, .dilation = rate}, width.norm));
  }
  return concat(graph, branches);
}

namespace detail {

template <class T>
concept RateOrWidth = std::integral<T> || std::same_as<T, Width>;

// DilationModule's arguments, told apart: a rate above 0, or the Width.
struct RateArgument {
  std::int32_t rate = 0;
  Width width;
  bool is_width = false;

  constexpr RateArgument(std::integral auto number) : rate(static_cast<std::int32_t>(number)) {}
  constexpr RateArgument(Width option) : width(option), is_width(true) {}
};

}  // namespace detail

/// dilation_module() as a layer: rates, and where wanted a Width; 32 channels per rate without one.
template <auto... RatesAndWidth>
  requires(detail::RateOrWidth<std::remove_cv_t<decltype(RatesAndWidth)>> && ...)
struct DilationModule {
  static constexpr std::size_t rate_count =
      (std::size_t{0} + ... + (detail::RateArgument(RatesAndWidth).is_width ? 0 : 1));
  static_assert(rate_count > 0, "DilationModule needs at least one rate: DilationModule<1, 2, 3, 4>");
  static_assert(sizeof...(RatesAndWidth) - rate_count <= 1, "DilationModule takes one Width");

  static constexpr Value lower(Graph& graph, Value src) {
    std::array<std::int32_t, rate_count> rates{};
    Width width;
    std::size_t next = 0;
    for (const detail::RateArgument& argument : {detail::RateArgument(RatesAndWidth)...}) {
      if (argument.is_width) {
        width = argument.width;
      } else {
        rates[next++] = argument.rate;
      }
    }
    return dilation_module(graph, src, rates, width);
  }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
