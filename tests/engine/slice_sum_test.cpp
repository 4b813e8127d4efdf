// SliceSum: the bytes of one order, whenever rows come, and few rows at a time.
#include <posemachine/core/random.hpp>
#include <posemachine/engine/communicator.hpp>
#include <posemachine/engine/slice_sum.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <thread>
#include <vector>

namespace slice_sum_test {

using namespace posemachine;
using namespace posemachine::engine;

namespace {

constexpr std::size_t floats = 37;
using Rows = std::vector<std::vector<float>>;

// Numbers of very different magnitudes: their sum depends on its order.
Rows uneven_rows(int count) {
  RandomStream stream(11, Purpose::test);
  Rows rows(static_cast<std::size_t>(count), std::vector<float>(floats));
  for (auto& row : rows) {
    for (float& value : row) value = static_cast<float>(stream.uniform(-1, 1) * (stream.below(2) != 0 ? 1e4 : 1e-2));
  }
  return rows;
}

std::vector<float> tree_sum(Rows rows) {
  for (std::size_t distance = 1; distance < rows.size(); distance *= 2) {
    for (std::size_t i = 0; i + distance < rows.size(); i += 2 * distance) {
      for (std::size_t k = 0; k < floats; ++k) rows[i][k] += rows[i + distance][k];
    }
  }
  return rows[0];
}

void bring(SliceSum& sum, const Rows& rows, int item) {
  std::copy_n(rows[static_cast<std::size_t>(item)].begin(), floats, sum.take(item));
  sum.put(item);
}

std::vector<float> first_of(const SliceSum& sum) { return {sum.first(), sum.first() + floats}; }

}  // namespace

TEST_CASE("SliceSum: rows in any order give the sum along the tree, and are added once") {
  for (int items = 1; items <= 17; ++items) {
    const Rows rows = uneven_rows(items);
    const std::vector<float> expected = tree_sum(rows);
    SliceSum sum(items, {0, items}, floats);
    std::vector<int> order(static_cast<std::size_t>(items));
    std::iota(order.begin(), order.end(), 0);
    RandomStream stream(3, Purpose::test, static_cast<std::uint64_t>(items));
    for (int repeat = 0; repeat < 20; ++repeat) {
      sum.restart();
      for (const int item : order) bring(sum, rows, item);
      CHECK(first_of(sum) == expected);
      const std::vector<float*> left = sum.rows();
      CHECK(left.front() == sum.first());
      CHECK(std::count(left.begin(), left.end(), nullptr) == items - 1);
      for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[stream.below(i)]);
    }
  }
}

TEST_CASE("SliceSum: rows that come in order need memory for log2 of them and one more, others never more than all") {
  for (const int items : {1, 2, 8, 32, 33, 100}) {
    const Rows rows = uneven_rows(items);
    SliceSum sum(items, {0, items}, floats);
    sum.restart();
    for (int item = 0; item < items; ++item) bring(sum, rows, item);
    std::size_t levels = 1;
    while (1 << (levels - 1) < items) ++levels;
    CHECK(sum.row_count() <= levels);
  }
  SliceSum all(16, {0, 16}, floats);
  const Rows rows = uneven_rows(16);
  for (int repeat = 0; repeat < 3; ++repeat) {
    all.restart();
    for (int item = 0; item < 16; item += 2) bring(all, rows, item);
    for (int item = 1; item < 16; item += 2) bring(all, rows, item);
  }
  CHECK(all.row_count() == 9);
}

TEST_CASE("SliceSum: threads that bring rows side by side give the same bytes") {
  const int items = 64;
  const Rows rows = uneven_rows(items);
  const std::vector<float> expected = tree_sum(rows);
  SliceSum sum(items, {0, items}, floats);
  for (int repeat = 0; repeat < 50; ++repeat) {
    sum.restart();
    std::atomic<int> next = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int item = next++; item < items; item = next++) bring(sum, rows, item);
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(first_of(sum) == expected);
  }
}

TEST_CASE("SliceSum: of a share, what has its partner elsewhere waits") {
  const int items = 8;
  const Rows rows = uneven_rows(items);
  SliceSum sum(items, {1, 5}, floats);  // 1 goes to 0; 2 takes 3; 4 takes 5, then 6 of another; 2 goes to 0
  sum.restart();
  for (int item = 5; item >= 1; --item) bring(sum, rows, item);
  const std::vector<float*> left = sum.rows();
  REQUIRE(left.size() == 5);
  CHECK(left[0] == sum.first());
  CHECK(left[1] != nullptr);
  CHECK(left[2] == nullptr);
  CHECK(left[3] != nullptr);
  CHECK(left[4] == nullptr);
  CHECK(left[1][0] == rows[2][0] + rows[3][0]);
  CHECK(left[3][0] == rows[4][0] + rows[5][0]);
  CHECK(left[0][0] == rows[1][0]);
}

}  // namespace slice_sum_test
