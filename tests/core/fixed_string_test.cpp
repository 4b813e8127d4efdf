#include <posemachine/core/fixed_string.hpp>

#include <doctest/doctest.h>

#include <string_view>
#include <type_traits>

namespace fixed_string_test {

namespace pm = posemachine;

namespace {

template <pm::FixedString Name>
struct Named {
  static constexpr std::string_view name = Name.view();
};

}  // namespace

TEST_CASE("FixedString: as a template argument, equal texts are one type and different texts are two") {
  static_assert(std::is_same_v<Named<"high">, Named<"high">>);
  static_assert(!std::is_same_v<Named<"high">, Named<"low">>);
  static_assert(!std::is_same_v<Named<"high">, Named<"high ">>);
  CHECK(Named<"high">::name == "high");
}

TEST_CASE("FixedString: the view leaves out the closing zero and keeps zeros inside") {
  CHECK(Named<"">::name.empty());
  CHECK(Named<"a\0b">::name == std::string_view("a\0b", 3));
}

}  // namespace fixed_string_test
