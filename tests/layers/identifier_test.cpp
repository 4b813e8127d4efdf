// Names cut from types: the same on every compiler, whatever stands in the arguments.
#include <posemachine/layers/identifier.hpp>

#include <posemachine/core/fixed_string.hpp>

#include <doctest/doctest.h>

#include <string>

namespace identifier_test {

namespace {

template <posemachine::FixedString Text>
struct WithText {};
template <class... Ts>
struct Several {};
template <auto Value>
struct WithValue {};
struct Hidden {
  struct Inner {};
  template <int N>
  struct InnerOf {};
};
enum class Colour { red, green };
struct Pair {
  int first = 0;
  int second = 0;
};
struct Under_score2 {};

}  // namespace

namespace outer::inner {
struct Deep {};
template <class T>
struct DeepOf {
  struct Nested {};
};
}  // namespace outer::inner

using posemachine::identifier;

TEST_CASE("identifier: templates, text, values, anonymous, nested and local types give their own name") {
  struct Local {};
  CHECK(identifier<Hidden> == "Hidden");
  CHECK(identifier<Hidden::Inner> == "Inner");
  CHECK(identifier<Hidden::InnerOf<3>> == "InnerOf");
  CHECK(identifier<outer::inner::Deep> == "Deep");
  CHECK(identifier<outer::inner::DeepOf<int>> == "DeepOf");
  CHECK(identifier<outer::inner::DeepOf<Hidden>::Nested> == "Nested");
  CHECK(identifier<Local> == "Local");
  CHECK(identifier<Under_score2> == "Under_score2");
}

TEST_CASE("identifier: brackets, quotes and colons in template arguments are skipped") {
  CHECK(identifier<WithText<"a::b<c>">> == "WithText");
  CHECK(identifier<WithText<"]; T = x">> == "WithText");
  CHECK(identifier<WithText<"quote \" and \\ back">> == "WithText");
  CHECK(identifier<WithValue<'>'>> == "WithValue");
  CHECK(identifier<WithValue<'"'>> == "WithValue");
  CHECK(identifier<WithValue<(3 > 2)>> == "WithValue");
  CHECK(identifier<WithValue<Colour::green>> == "WithValue");
  CHECK(identifier<WithValue<Pair{1, 2}>> == "WithValue");
  CHECK(identifier<Several<int, Several<char*, void (*)(int)>, WithText<"::">>> == "Several");
  CHECK(identifier<Several<>> == "Several");
}

TEST_CASE("identifier: what has no name is told apart") {
  const auto lambda = [] {};
  CHECK(posemachine::detail::Identifier<decltype(lambda)>::text.empty());
}

}  // namespace identifier_test
