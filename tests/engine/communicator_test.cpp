// Communicator: shares, what they exchange, and sums in the order of one process whatever their number.
#include "reference/thread_ranks.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/engine/communicator.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace communicator_test {

using namespace posemachine;
using namespace posemachine::engine;
using reference::on_ranks;

namespace {

using Rows = std::vector<std::vector<float>>;

// Numbers of very different magnitudes: their sum depends on its order.
Rows uneven_rows(int count, std::size_t floats) {
  RandomStream stream(11, Purpose::test);
  Rows rows(static_cast<std::size_t>(count), std::vector<float>(floats));
  for (auto& row : rows) {
    for (float& value : row) value = static_cast<float>(stream.uniform(-1, 1) * (stream.below(2) != 0 ? 1e4 : 1e-2));
  }
  return rows;
}

void add_row(std::vector<float>& into, const std::vector<float>& from) {
  for (std::size_t k = 0; k < into.size(); ++k) into[k] += from[k];
}

// The tree of one process, written once more.
std::vector<float> tree_sum(Rows rows) {
  for (std::size_t distance = 1; distance < rows.size(); distance *= 2) {
    for (std::size_t i = 0; i + distance < rows.size(); i += 2 * distance) add_row(rows[i], rows[i + distance]);
  }
  return rows[0];
}

std::vector<float> sum_on_rank(Communicator& ranks, const Rows& all) {
  const int items = static_cast<int>(all.size());
  const BlockPartition share = share_of_rank(ranks.rank(), ranks.count(), items);
  Rows own(all.begin() + share.first, all.begin() + share.first + share.count);
  std::vector<float*> rows;
  for (auto& row : own) rows.push_back(row.data());
  std::vector<float> spare(all[0].size());
  sum_over_ranks(ranks, items, rows, spare, [&](float* into, const float* from) {
    for (std::size_t k = 0; k < spare.size(); ++k) into[k] += from[k];
  });
  return own[0];
}

}  // namespace

TEST_CASE("Communicator: shares follow each other, cover every item, and differ by one at most") {
  for (int items = 1; items <= 20; ++items) {
    for (int ranks = 1; ranks <= items; ++ranks) {
      int next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const BlockPartition share = share_of_rank(rank, ranks, items);
        CHECK(share.first == next);
        CHECK(share.count >= items / ranks);
        CHECK(share.count <= items / ranks + 1);
        for (int i = share.first; i < share.first + share.count; ++i) CHECK(owner_of(i, ranks, items) == rank);
        next += share.count;
      }
      CHECK(next == items);
    }
  }
}

TEST_CASE(
    "Communicator: any number of them sums any number of rows to the bytes of one process, and all of them have it") {
  for (int items = 1; items <= 13; ++items) {
    const Rows rows = uneven_rows(items, 37);
    const std::vector<float> expected = tree_sum(rows);
    for (int count = 1; count <= items && count <= 7; ++count) {
      INFO(items << " rows on " << count << " ranks");
      std::vector<std::vector<float>> sums(static_cast<std::size_t>(count));
      on_ranks(count, [&](const std::shared_ptr<Communicator>& ranks) {
        sums[static_cast<std::size_t>(ranks->rank())] = sum_on_rank(*ranks, rows);
      });
      for (const auto& sum : sums) CHECK(sum == expected);
    }
  }
}

TEST_CASE("Communicator: the numbers of that test tell orders apart: a sum by rank first gives other bytes") {
  const Rows rows = uneven_rows(8, 37);
  for (const int count : {2, 3, 4}) {
    std::vector<float> by_rank(37);
    for (int rank = 0; rank < count; ++rank) {
      const BlockPartition share = share_of_rank(rank, count, 8);
      std::vector<float> sum = rows[static_cast<std::size_t>(share.first)];
      for (int i = 1; i < share.count; ++i) add_row(sum, rows[static_cast<std::size_t>(share.first + i)]);
      if (rank == 0) by_rank = sum;
      if (rank > 0) add_row(by_rank, sum);
    }
    CHECK(by_rank != tree_sum(rows));
  }
}

TEST_CASE(
    "Communicator: exchange gives every rank the rows of all, text the first one's, and one that says so is any") {
  for (const int count : {1, 2, 3, 5}) {
    on_ranks(count, [&](const std::shared_ptr<Communicator>& ranks) {
      const int rank = ranks->rank();
      std::vector<double> rows(7 * 3, -1.0);
      const BlockPartition share = share_of_rank(rank, count, 7);
      for (int i = share.first * 3; i < (share.first + share.count) * 3; ++i) rows[static_cast<std::size_t>(i)] = i;
      exchange(*ranks, std::span<double>(rows), 7);
      for (int i = 0; i < 21; ++i) CHECK(rows[static_cast<std::size_t>(i)] == i);

      CHECK(text_of_first(*ranks, "rank " + std::to_string(rank)) == "rank 0");
      CHECK(text_of_first(*ranks, rank == 0 ? "" : "no").empty());
      CHECK(any_of_ranks(*ranks, rank == count - 1));
      CHECK_FALSE(any_of_ranks(*ranks, false));
    });
  }
}

TEST_CASE("Communicator: what one rank throws ends the others that wait for it") {
  CHECK_THROWS_WITH_AS(on_ranks(3,
                                [](const std::shared_ptr<Communicator>& ranks) {
                                  if (ranks->rank() == 1) throw DataError("no picture");
                                  any_of_ranks(*ranks, false);
                                }),
                       "no picture", DataError);
}

}  // namespace communicator_test
