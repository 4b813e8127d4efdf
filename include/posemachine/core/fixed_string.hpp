// A string that can be a template argument: Tag<"high">.
#pragma once

#include <posemachine/core/config.hpp>

#include <cstddef>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A string literal held by value, so that it can be a template argument. Shapes: Size counts the closing zero.
template <std::size_t Size>
struct FixedString {
  char text[Size]{};

  consteval FixedString(const char (&literal)[Size]) {  // implicit: Tag<"high">
    for (std::size_t i = 0; i < Size; ++i) text[i] = literal[i];
  }

  constexpr std::string_view view() const { return {text, Size - 1}; }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
