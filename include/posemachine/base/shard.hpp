// Shard: a share of a list, for work that is spread over machines which know nothing of each other.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Share `number` of `count`, counted from 1: every count-th item of a list, beginning with the number-th. The shares
/// of a list are disjoint, make it up together, and differ by one item at most; neighbours, which often cost alike
/// (photos of one camera), go to different ones. There may be more shares than items: those beyond are empty.
struct Shard {
  int number = 1;
  int count = 1;
  friend constexpr bool operator==(const Shard&, const Shard&) = default;
};

/// "2/8".
std::string to_string(const Shard& shard);

/// Errors: UsageError for a share that is not from 1 to `count`.
void check(const Shard& shard);

/// A share from "I/N", as in "2/8". Errors: UsageError.
Shard parse_shard(std::string_view text);

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

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/base/shard.ipp>
#endif
