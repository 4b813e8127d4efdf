// Words for messages: what is quoted of a text, and which known word was meant.
#include <posemachine/base/text.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace text_test {

namespace pm = posemachine;

TEST_CASE("excerpt: whole characters up to a length, and no control characters") {
  CHECK(pm::detail::excerpt("short") == "short");
  CHECK(pm::detail::excerpt("12345", 5) == "12345");
  CHECK(pm::detail::excerpt("123456", 5) == "12345...");
  CHECK(pm::detail::excerpt("a\nb\x7f") == "a?b?");
  CHECK(pm::detail::excerpt("abc\u00e9f", 4) == "abc...");  // of two bytes, the second of which would be cut off
  CHECK(pm::detail::excerpt("") == "");
}

TEST_CASE("edit_distance: counts insertions, deletions and exchanges") {
  CHECK(pm::edit_distance("", "") == 0);
  CHECK(pm::edit_distance("", "abc") == 3);
  CHECK(pm::edit_distance("abc", "") == 3);
  CHECK(pm::edit_distance("kitten", "sitting") == 3);
  CHECK(pm::edit_distance("flaw", "lawn") == 2);
  CHECK(pm::edit_distance("same", "same") == 0);
}

TEST_CASE("did_you_mean: the nearest known word, where one is near") {
  const std::vector<std::string> known{"rate", "epochs", "schedule"};
  CHECK(pm::did_you_mean("epoch", known) == "did you mean \"epochs\"?");
  CHECK(pm::did_you_mean("rat", known) == "did you mean \"rate\"?");
  CHECK(pm::did_you_mean("momentum", known) == "");
  CHECK(pm::did_you_mean(std::string(65, 'e'), known) == "");
  CHECK(pm::did_you_mean("rate", {}) == "");
}

TEST_CASE("did_you_mean: the beginning of one name or two means them; of many it is a word like any other") {
  const std::vector<std::string> metrics{"pck", "pckh", "pcp_strict", "pcp_loose"};
  CHECK(pm::did_you_mean("pcp", metrics) == "did you mean \"pcp_strict\" or \"pcp_loose\"?");
  CHECK(pm::did_you_mean("pcp_l", metrics) == "did you mean \"pcp_loose\"?");
  CHECK(pm::did_you_mean("pkc", metrics) == "did you mean \"pck\"?");
  CHECK(pm::did_you_mean("left", {"left_hip", "left_knee", "left_foot"}) == "");
}

}  // namespace text_test
