// The definitions of base/shard.hpp.
#pragma once

#include <posemachine/base/shard.hpp>

#include <charconv>
#include <system_error>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE std::string to_string(const Shard& shard) {
  return std::to_string(shard.number) + "/" + std::to_string(shard.count);
}

POSEMACHINE_INLINE void check(const Shard& shard) {
  if (shard.number >= 1 && shard.number <= shard.count) return;
  fail<UsageError>({.where = "shard",
                    .expected = "I/N with 1 <= I <= N",
                    .got = "\"" + to_string(shard) + "\"",
                    .remedy = shard.number == 0 ? "shards count from 1: of 8, the first is 1/8 and the last 8/8" : ""});
}

POSEMACHINE_INLINE Shard parse_shard(std::string_view text) {
  Shard shard;
  const char* const end = text.data() + text.size();
  const auto number = std::from_chars(text.data(), end, shard.number);
  if (number.ec == std::errc{} && number.ptr != end && *number.ptr == '/') {
    const auto count = std::from_chars(number.ptr + 1, end, shard.count);
    if (count.ec == std::errc{} && count.ptr == end) {
      check(shard);
      return shard;
    }
  }
  fail<UsageError>({.where = "shard",
                    .expected = "I/N, as in 2/8 for the second of eight shares",
                    .got = "\"" + std::string(text) + "\""});
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
