// CRC-32C against the values of its sources, and against division bit by bit.
#include <posemachine/base/crc32c.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace crc32c_test {

namespace pm = posemachine;

namespace {

// The definition: long division by the polynomial, a bit at a time, the lowest bit of a byte first.
std::uint32_t divided(std::string_view bytes) {
  std::uint32_t remainder = 0xFFFFFFFF;
  for (const char byte : bytes) {
    for (int bit = 0; bit < 8; ++bit) {
      const bool carry = ((remainder ^ static_cast<std::uint32_t>(static_cast<unsigned char>(byte) >> bit)) & 1) != 0;
      remainder = remainder >> 1 ^ (carry ? 0x82F63B78u : 0u);
    }
  }
  return ~remainder;
}

}  // namespace

TEST_CASE("crc32c: the check value of the nine digits, already while compiling") {
  static_assert(pm::crc32c("123456789") == 0xE3069283);
  CHECK(pm::crc32c("123456789") == 0xE3069283);
}

TEST_CASE("crc32c: the examples of RFC 3720, B.4") {
  std::string up;
  for (int i = 0; i < 32; ++i) up.push_back(static_cast<char>(i));
  const std::string down(up.rbegin(), up.rend());
  CHECK(pm::crc32c(std::string(32, '\0')) == 0x8A9136AA);
  CHECK(pm::crc32c(std::string(32, '\xFF')) == 0x62A8AB43);
  CHECK(pm::crc32c(up) == 0x46DD794E);
  CHECK(pm::crc32c(down) == 0x113FDB5C);
  CHECK(pm::crc32c("") == 0);
}

TEST_CASE("crc32c: every length up to 257 bytes is what division bit by bit gives, and every flipped bit shows") {
  std::string bytes;
  for (std::size_t length = 0; length <= 257; ++length) {
    CHECK(pm::crc32c(bytes) == divided(bytes));
    bytes.push_back(static_cast<char>(length * 167 + 31));
  }
  const std::uint32_t whole = pm::crc32c(bytes);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    CHECK(pm::crc32c(changed) != whole);
  }
}

}  // namespace crc32c_test
