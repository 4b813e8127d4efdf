// Digest against the published values of FNV-1a.
#include <posemachine/base/digest.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace digest_test {

namespace pm = posemachine;

namespace {

std::string digest_of(std::string_view text) {
  pm::Digest digest;
  digest.add(text);
  return digest.text();
}

}  // namespace

TEST_CASE("Digest: it is FNV-1a of 64 bits") {
  CHECK(digest_of("") == "cbf29ce484222325");
  CHECK(digest_of("a") == "af63dc4c8601ec8c");
  CHECK(digest_of("foobar") == "85944171f73967e8");
}

TEST_CASE("Digest: pieces give what the whole gives, and a zero byte counts") {
  pm::Digest digest;
  digest.add("foo");
  digest.add("");
  digest.add("bar", 3);
  CHECK(digest.text() == digest_of("foobar"));
  digest.add("", 1);
  CHECK(digest.text() != digest_of("foobar"));
}

}  // namespace digest_test
