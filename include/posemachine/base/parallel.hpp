// Parallel loops and work ahead of a consumer: the only door to oneTBB.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// A bounded set of threads, the calling one among them.
class Workers {
 public:
  /// Errors: UsageError for fewer than 1 thread.
  explicit Workers(int threads) : threads_(threads), arena_(std::max(1, threads)) {
    if (threads < 1) fail<UsageError>({.where = "threads", .expected = "at least 1", .got = std::to_string(threads)});
  }

  int threads() const { return threads_; }

  /// Calls task(index, slot) for every index from 0 to count - 1, in no order. A slot, from 0 to threads - 1, is held by one
  /// call at a time: state per worker can be kept by slot. Throws what a task threw.
  void for_each(int count, const std::function<void(int index, int slot)>& task) {
    if (threads_ == 1 || count <= 1) {
      for (int i = 0; i < count; ++i) task(i, 0);
      return;
    }
    arena_.execute([&] {
      oneapi::tbb::parallel_for(
          0, count, [&](int index) { task(index, oneapi::tbb::this_task_arena::current_thread_index()); },
          oneapi::tbb::simple_partitioner{});
    });
  }

 private:
  int threads_;
  oneapi::tbb::task_arena arena_;
};

/// Computes items first, first + 1, ... ahead of a consumer that takes them in order.
/// The items are made on threads of their own, at most `depth` ahead; what `make` throws is thrown when its item's turn
/// comes. `make` must be safe to call from several threads.
template <class Item>
class Prefetcher {
 public:
  Prefetcher(int threads, int depth, std::uint64_t first, std::function<Item(std::uint64_t)> make)
      : make_(std::move(make)), depth_(static_cast<std::uint64_t>(std::max(1, depth))), next_out_(first), next_in_(first) {
    for (int i = 0; i < std::max(1, threads); ++i) threads_.emplace_back([this] { work(); });
  }
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;
  ~Prefetcher() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    room_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  /// The next item; waits until it is made.
  Item next() {
    std::unique_lock lock(mutex_);
    made_.wait(lock, [&] { return ready_.contains(next_out_); });
    Slot slot = std::move(ready_.at(next_out_));
    ready_.erase(next_out_++);
    lock.unlock();
    room_.notify_all();
    if (slot.error) std::rethrow_exception(slot.error);
    return std::move(*slot.item);
  }

 private:
  struct Slot {
    std::unique_ptr<Item> item;
    std::exception_ptr error;
  };

  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      room_.wait(lock, [&] { return stopping_ || next_in_ < next_out_ + depth_; });
      if (stopping_) return;
      const std::uint64_t which = next_in_++;
      lock.unlock();
      Slot slot;
      try {
        slot.item = std::make_unique<Item>(make_(which));
      } catch (...) {
        slot.error = std::current_exception();
      }
      lock.lock();
      ready_.emplace(which, std::move(slot));
      lock.unlock();
      made_.notify_all();
    }
  }

  std::function<Item(std::uint64_t)> make_;
  std::uint64_t depth_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable made_;
  std::uint64_t next_out_;
  std::uint64_t next_in_;
  bool stopping_ = false;
  std::map<std::uint64_t, Slot> ready_;
  std::vector<std::thread> threads_;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
