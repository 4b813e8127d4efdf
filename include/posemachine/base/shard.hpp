// Shard: a share of a list, for work that is spread over machines which know nothing of each other.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <charconv>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Share `number` of `count`, counted from 1: every count-th item of a list, beginning with the number-th. The shares
/// of a list are disjoint, make it up together, and differ by one item at most; neighbours, which often cost alike
/// (photos of one camera), go to different ones. There may be more shares than items: those beyond are empty.
struct Shard {
  int number = 1;
  int count = 1;
  friend constexpr bool operator==(const Shard&, const Shard&) = default;
};

/// "2/8".
inline std::string to_string(const Shard& shard) {
  return std::to_string(shard.number) + "/" + std::to_string(shard.count);
}

/// Errors: UsageError for a share that is not from 1 to `count`.
inline void check(const Shard& shard) {
  if (shard.number >= 1 && shard.number <= shard.count) return;
  fail<UsageError>({.where = "shard",
                    .expected = "I/N with 1 <= I <= N",
                    .got = "\"" + to_string(shard) + "\"",
                    .remedy = shard.number == 0 ? "shards count from 1: of 8, the first is 1/8 and the last 8/8" : ""});
}

/// A share from "I/N", as in "2/8". Errors: UsageError.
inline Shard parse_shard(std::string_view text) {
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

/// How many of `size` items a share has.
constexpr std::size_t share_size(const Shard& shard, std::size_t size) {
  const auto first = static_cast<std::size_t>(shard.number - 1);
  return first < size ? (size - first - 1) / static_cast<std::size_t>(shard.count) + 1 : 0;
}

/// Where in the list the item at `position` of a share stands, both counted from 0.
constexpr std::size_t position_in_list(const Shard& shard, std::size_t position) {
  return static_cast<std::size_t>(shard.number - 1) + position * static_cast<std::size_t>(shard.count);
}

/// The items of a share, in their order. Errors: as check.
template <class T>
std::vector<T> share_of(std::span<const T> items, const Shard& shard) {
  check(shard);
  std::vector<T> share;
  share.reserve(share_size(shard, items.size()));
  for (std::size_t i = 0; i < share_size(shard, items.size()); ++i) share.push_back(items[position_in_list(shard, i)]);
  return share;
}

/// The list that all of its shares make up, the first share first. Errors: UsageError for shares whose sizes are those
/// of no list.
template <class T>
std::vector<T> join_shares(std::vector<std::vector<T>> shares) {
  std::size_t size = 0;
  for (const std::vector<T>& share : shares) size += share.size();
  const int count = static_cast<int>(shares.size());
  for (int i = 0; i < count; ++i) {
    const Shard shard{i + 1, count};
    const std::size_t items = shares[std::size_t(i)].size();
    if (items == share_size(shard, size)) continue;
    fail<UsageError>({.where = "shard " + to_string(shard),
                      .expected = std::to_string(share_size(shard, size)) + " of " + std::to_string(size) + " items",
                      .got = std::to_string(items)});
  }
  std::vector<T> list;
  list.reserve(size);
  for (std::size_t i = 0; i < size; ++i) list.push_back(std::move(shares[i % shares.size()][i / shares.size()]));
  return list;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
