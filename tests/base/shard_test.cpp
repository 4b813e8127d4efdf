// Shares of lists: disjoint, whole together, balanced, and put back in order.
#include <posemachine/base/shard.hpp>
#include <posemachine/core/error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace shard_test {

namespace pm = posemachine;

namespace {

std::vector<int> numbers(std::size_t count) {
  std::vector<int> items(count);
  std::iota(items.begin(), items.end(), 0);
  return items;
}

}  // namespace

TEST_CASE("Shard: the shares of a list have every item once, in its order, and differ by one at most") {
  for (const std::size_t size : {0u, 1u, 2u, 7u, 8u, 9u, 100u}) {
    for (const int count : {1, 2, 3, 7, 8, 50}) {
      const std::vector<int> items = numbers(size);
      std::vector<int> together;
      std::size_t most = 0, least = size;
      for (int number = 1; number <= count; ++number) {
        const pm::Shard shard{number, count};
        const std::vector<int> share = pm::share_of<int>(items, shard);
        CHECK(share.size() == pm::share_size(shard, size));
        CHECK(std::is_sorted(share.begin(), share.end()));
        for (std::size_t i = 0; i < share.size(); ++i) CHECK(share[i] == int(pm::position_in_list(shard, i)));
        together.insert(together.end(), share.begin(), share.end());
        most = std::max(most, share.size());
        least = std::min(least, share.size());
      }
      CHECK(most - least <= 1);
      std::sort(together.begin(), together.end());
      CHECK(together == items);
    }
  }
  CHECK(pm::share_of<int>(numbers(8), {2, 3}) == std::vector<int>{1, 4, 7});
}

TEST_CASE("Shard: joined shares are the list, and shares whose sizes are those of no list are refused") {
  for (const std::size_t size : {0u, 1u, 5u, 12u, 13u}) {
    for (const int count : {1, 2, 5, 20}) {
      std::vector<std::vector<int>> shares;
      for (int number = 1; number <= count; ++number) {
        shares.push_back(pm::share_of<int>(numbers(size), {number, count}));
      }
      CHECK(pm::join_shares(shares) == numbers(size));
    }
  }
  CHECK_THROWS_WITH_AS(pm::join_shares(std::vector<std::vector<int>>{{0}, {1, 2}}),
                       "shard 1/2: expected 2 of 3 items, got 1", pm::UsageError);
}

TEST_CASE("parse_shard: I/N counts from 1; everything else is refused with what came") {
  CHECK(pm::parse_shard("1/1") == pm::Shard{1, 1});
  CHECK(pm::parse_shard("8/8") == pm::Shard{8, 8});
  CHECK(to_string(pm::parse_shard("02/8")) == "2/8");
  for (const char* text : {"",
                           "/",
                           "4",
                           "4/",
                           "/4",
                           "a/b",
                           "1/b",
                           "1/2/3",
                           "1/2 ",
                           " 1/2",
                           "+1/2",
                           "1.0/2",
                           "1/2x",
                           "5/4",
                           "0/4",
                           "1/0",
                           "0/0",
                           "-1/4",
                           "1/-4",
                           "3000000000/4000000000",
                           "1/2147483648"}) {
    INFO(text);
    CHECK_THROWS_WITH_AS(pm::parse_shard(text), doctest::Contains(("got \"" + std::string(text) + "\"").c_str()),
                         pm::UsageError);
  }
  CHECK_THROWS_WITH_AS(pm::parse_shard("0/4"),
                       "shard: expected I/N with 1 <= I <= N, got \"0/4\"; shards count from 1: of 8, the first is 1/8 "
                       "and the last 8/8",
                       pm::UsageError);
  CHECK_THROWS_AS(pm::share_of<int>(numbers(3), {4, 3}), pm::UsageError);
}

}  // namespace shard_test
