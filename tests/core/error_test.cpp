#include <posemachine/core/error.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <type_traits>

namespace error_test {

namespace pm = posemachine;

TEST_CASE("Problem: a full message reads where, expected, got, remedy") {
  CHECK(
      pm::to_string({.where = "f.mat: joints", .expected = "3 x 14 x N", .got = "2 x 14 x 5", .remedy = "see docs"}) ==
      "f.mat: joints: expected 3 x 14 x N, got 2 x 14 x 5; see docs");
}

TEST_CASE("Problem: empty parts leave no separators behind") {
  CHECK(pm::to_string({.where = "a", .expected = "b"}) == "a: expected b");
  CHECK(pm::to_string({.where = "a", .got = "c"}) == "a: got c");
  CHECK(pm::to_string({.where = "a", .remedy = "d"}) == "a; d");
  CHECK(pm::to_string({.where = "a", .got = "c", .remedy = "d"}) == "a: got c; d");
  CHECK(pm::to_string({.expected = "b", .got = "c"}) == "expected b, got c");
  CHECK(pm::to_string({.where = "a"}) == "a");
  CHECK(pm::to_string({}).empty());
}

TEST_CASE("fail: throws the class it is given, with the text") {
  CHECK_THROWS_WITH_AS(pm::fail<pm::UsageError>({.where = "--box", .got = "x"}), "--box: got x", pm::UsageError);
  CHECK_THROWS_WITH_AS(pm::fail<pm::DataError>({.where = "f.png"}), "f.png", pm::DataError);
  CHECK_THROWS_WITH_AS(pm::fail<pm::ModelError>({.where = "m"}), "m", pm::ModelError);
  CHECK_THROWS_WITH_AS(pm::fail<pm::RuntimeFailure>({.where = "disk"}), "disk", pm::RuntimeFailure);
}

TEST_CASE("Error: every class of ours is caught as Error and as std::exception, none as another of ours") {
  CHECK_THROWS_AS(pm::fail<pm::DataError>({.where = "f"}), pm::Error);
  CHECK_THROWS_AS(pm::fail<pm::ModelError>({.where = "f"}), std::runtime_error);
  static_assert(!std::is_base_of_v<pm::DataError, pm::ModelError> && !std::is_base_of_v<pm::ModelError, pm::DataError>);
  static_assert(!std::is_base_of_v<pm::UsageError, pm::DataError>, "the tool maps classes to exit codes");
}

}  // namespace error_test
