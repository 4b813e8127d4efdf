// Parallel loops and work ahead of a consumer.
#include <posemachine/base/parallel.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace parallel_test {

namespace pm = posemachine;

namespace {

// Lets others in. Not by yield(): on a busy machine each call waits for a turn, and thousands of them take minutes.
void wait_a_little() { std::this_thread::sleep_for(std::chrono::microseconds(20)); }

thread_local int entries_of_thread = 0;

}  // namespace

TEST_CASE("Workers: every index runs exactly once, for any number of threads and tasks") {
  for (const int threads : {1, 2, 5}) {
    pm::Workers workers(threads);
    CHECK(workers.threads() == threads);
    for (const int count : {0, 1, 2, 7, 1000}) {
      CAPTURE(threads);
      CAPTURE(count);
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(count));
      workers.for_each(count, [&](int index, int) { ++runs[static_cast<std::size_t>(index)]; });
      int wrong = 0;
      for (const auto& run : runs) wrong += run != 1;
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("Workers: a slot is below the number of threads and held by one call at a time") {
  for (const int threads : {1, 2, 4}) {
    CAPTURE(threads);
    pm::Workers workers(threads);
    std::vector<std::atomic<bool>> held(static_cast<std::size_t>(threads));
    std::vector<int> calls(static_cast<std::size_t>(threads), 0);  // not atomic: ThreadSanitizer sees a shared slot
    std::atomic<int> wrong{0};
    for (int loop = 0; loop < 5; ++loop) {
      workers.for_each(200, [&](int, int slot) {
        if (slot < 0 || slot >= threads) {
          ++wrong;
          return;
        }
        const auto s = static_cast<std::size_t>(slot);
        if (held[s].exchange(true)) ++wrong;
        ++calls[s];
        wait_a_little();
        held[s] = false;
      });
    }
    int total = 0;
    for (const int each : calls) total += each;
    CHECK(wrong == 0);
    CHECK(total == 1000);
  }
}

TEST_CASE("Workers: what a task throws arrives at the caller, and the workers go on working after it") {
  for (const int threads : {1, 3}) {
    CAPTURE(threads);
    pm::Workers workers(threads);
    const auto task = [](int index, int) {
      if (index == 37) throw std::out_of_range("index 37");
    };
    CHECK_THROWS_WITH_AS(workers.for_each(100, task), "index 37", std::out_of_range);
    std::atomic<int> sum{0};
    workers.for_each(100, [&](int index, int) { sum += index; });
    CHECK(sum == 4950);
  }
}

TEST_CASE("Workers: no thread at all is a wrong argument") {
  CHECK_THROWS_WITH_AS(pm::Workers(0), "threads: expected at least 1, got 0", pm::UsageError);
  CHECK_THROWS_AS(pm::Workers(-3), pm::UsageError);
}

TEST_CASE("Workers: one thread works in the caller's own") {
  pm::Workers workers(1);
  const auto self = std::this_thread::get_id();
  int elsewhere = 0;
  std::vector<int> order;
  workers.for_each(5, [&](int index, int) {
    elsewhere += std::this_thread::get_id() != self;
    order.push_back(index);
  });
  CHECK(elsewhere == 0);
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4});
}

TEST_CASE("Workers: each thread calls the hook before its first task") {
  for (const int threads : {1, 3}) {
    CAPTURE(threads);
    std::atomic<int> entries{0};
    std::atomic<int> unprepared{0};
    entries_of_thread = 0;
    {
      pm::Workers workers(threads, [&] {
        ++entries;
        ++entries_of_thread;
      });
      for (int loop = 0; loop < 3; ++loop) {
        workers.for_each(50, [&](int, int) {
          unprepared += entries_of_thread == 0;
          wait_a_little();
        });
      }
    }
    CHECK(unprepared == 0);
    CHECK(entries >= 1);
    CHECK(entries <= 3 * 50 * threads);
    const int after = entries;
    pm::Workers others(threads);  // the hook ends with its workers
    others.for_each(50, [](int, int) {});
    CHECK(entries == after);
  }
}

TEST_CASE("Prefetcher: delivers in order from the first item on, whatever the threads and the depth") {
  for (const int threads : {1, 2, 4}) {
    for (const int depth : {1, 3, 10}) {
      CAPTURE(threads);
      CAPTURE(depth);
      pm::Prefetcher<std::uint64_t> items(threads, depth, 5, [](std::uint64_t i) {
        if (i % 3 == 0) wait_a_little();
        return i * i;
      });
      for (std::uint64_t i = 5; i < 60; ++i) CHECK(items.next() == i * i);
    }
  }
}

TEST_CASE("Prefetcher: ends where it is told to, and asking for more is a wrong use, not a wait for ever") {
  std::atomic<int> made{0};
  pm::Prefetcher<int> items(2, 8, 0, [&](std::uint64_t i) { return ++made, static_cast<int>(i); }, 3);
  for (int i = 0; i < 3; ++i) CHECK(items.next() == i);
  CHECK_THROWS_WITH_AS(items.next(), "Prefetcher: expected items up to 3, got one more", pm::UsageError);
  CHECK(made == 3);
  pm::Prefetcher<int> none(2, 8, 0, [](std::uint64_t) { return 0; }, 0);
  CHECK_THROWS_AS(none.next(), pm::UsageError);
}

TEST_CASE("Prefetcher: makes each item once and never more than its depth ahead") {
  for (const int depth : {1, 4}) {
    for (const int taken : {0, 1, 9}) {
      CAPTURE(depth);
      CAPTURE(taken);
      std::vector<std::atomic<int>> made(64);
      {
        pm::Prefetcher<int> items(3, depth, 0, [&](std::uint64_t i) { return ++made.at(i), static_cast<int>(i); });
        for (int i = 0; i < taken; ++i) items.next();
        wait_a_little();
      }
      int first = 0, beyond = 0;
      for (int i = 0; i < 64; ++i) {
        const int times = made[static_cast<std::size_t>(i)];
        if (i < taken) first += times == 1;
        if (i >= taken) beyond += times;
      }
      CHECK(first == taken);
      CHECK(beyond <= depth);
    }
  }
}

TEST_CASE("Prefetcher: works ahead of its consumer up to its depth") {
  std::atomic<int> made{0};
  pm::Prefetcher<int> items(2, 6, 0, [&](std::uint64_t i) { return ++made, static_cast<int>(i); });
  while (made < 6) std::this_thread::yield();  // hangs, and so fails, if nothing is made before it is asked for
  CHECK(items.next() == 0);
}

TEST_CASE("Prefetcher: what making an item throws comes at the item's turn, and the items after it still come") {
  pm::Prefetcher<int> items(3, 5, 0, [](std::uint64_t i) {
    if (i == 4 || i == 5) throw std::runtime_error("item " + std::to_string(i));
    return static_cast<int>(i);
  });
  for (int i = 0; i < 4; ++i) CHECK(items.next() == i);
  CHECK_THROWS_WITH_AS(items.next(), "item 4", std::runtime_error);
  CHECK_THROWS_WITH_AS(items.next(), "item 5", std::runtime_error);
  for (int i = 6; i < 20; ++i) CHECK(items.next() == i);
}

TEST_CASE("Prefetcher: destroyed while items are being made, it waits for them and begins no other") {
  for (int round = 0; round < 30; ++round) {
    std::atomic<int> begun{0}, ended{0};
    {
      pm::Prefetcher<int> items(3, 4, 0, [&](std::uint64_t i) {
        ++begun;
        wait_a_little();
        ++ended;
        if (i == 2) throw std::runtime_error("never delivered");
        return 0;
      });
      if (round % 3 == 1)
        while (begun == 0) std::this_thread::yield();
      if (round % 3 == 2) items.next();
    }
    CHECK(begun == ended);
    CHECK(begun <= 5);
  }
}

TEST_CASE("Prefetcher: items may be of a type that can only be moved") {
  pm::Prefetcher<std::unique_ptr<int>> items(
      2, 2, 0, [](std::uint64_t i) { return std::make_unique<int>(static_cast<int>(i)); });
  for (int i = 0; i < 5; ++i) CHECK(*items.next() == i);
}

}  // namespace parallel_test
