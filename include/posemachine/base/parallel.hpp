// Parallel loops and work ahead of a consumer: the only door to oneTBB.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_scheduler_observer.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A bounded set of threads, the calling one among them; no more than oneTBB permits, which is one per processor.
/// One loop at a time, and none from inside a task.
class Workers {
 public:
  /// on_entry, if there is one, is called by each thread that joins a loop, before its first task; it must not throw.
  /// Errors: UsageError for fewer than 1 thread.
  explicit Workers(int threads, std::function<void()> on_entry = {});

  int threads() const { return threads_; }

  /// Calls task(index, slot) for every index from 0 to count - 1, in no order. A slot, from 0 to threads - 1, is held
  /// by one call at a time: state per worker can be kept by slot. Throws what a task threw; then some may not have run.
  void for_each(int count, const std::function<void(int index, int slot)>& task);

 private:
  class OrderedCall {
   public:
    explicit OrderedCall(std::atomic<int>& ordered) : ordered_(ordered) { ordered_.load(std::memory_order_acquire); }
    OrderedCall(const OrderedCall&) = delete;
    OrderedCall& operator=(const OrderedCall&) = delete;
    ~OrderedCall() { ordered_.fetch_add(1, std::memory_order_release); }

   private:
    std::atomic<int>& ordered_;
  };

  // oneTBB prints a warning when it is asked for more than it permits; a library is silent.
  static int permitted(int threads);

  class EntryObserver : public oneapi::tbb::task_scheduler_observer {
   public:
    EntryObserver(oneapi::tbb::task_arena& arena, const std::function<void()>& on_entry);
    ~EntryObserver() override { observe(false); }  // waits for calls in flight
    void on_scheduler_entry(bool) override { on_entry_(); }

   private:
    const std::function<void()> on_entry_;
  };

  int threads_;
  std::function<void()> on_entry_;
  oneapi::tbb::task_arena arena_;
  std::unique_ptr<EntryObserver> observer_;
};

/// Computes items first, first + 1, ... ahead of a consumer that takes them in order.
/// The items are made on threads of their own, at most `depth` ahead; what `make` throws is thrown when its item's turn
/// comes. `make` must be safe to call from several threads.
template <class Item>
class Prefetcher {
 public:
  static constexpr std::uint64_t endless = std::numeric_limits<std::uint64_t>::max();

  /// Items first to end - 1. Errors: RuntimeFailure where the system gives no more threads.
  Prefetcher(int threads, int depth, std::uint64_t first, std::function<Item(std::uint64_t)> make,
             std::uint64_t end = endless)
      : make_(std::move(make)),
        depth_(static_cast<std::uint64_t>(std::max(1, depth))),
        end_(end),
        next_out_(first),
        next_in_(first) {
    try {
      for (int i = 0; i < std::max(1, threads); ++i) threads_.emplace_back([this] { work(); });
    } catch (const std::system_error& error) {
      stop();
      fail<RuntimeFailure>({.where = std::string("threads: ") + error.what(), .remedy = "ask for fewer"});
    }
  }
  Prefetcher(const Prefetcher&) = delete;
  Prefetcher& operator=(const Prefetcher&) = delete;
  /// Waits for the items being made; begins no other.
  ~Prefetcher() { stop(); }

  /// The next item; waits until it is made. For one consumer. Errors: UsageError after the last item.
  Item next() {
    std::unique_lock lock(mutex_);
    if (next_out_ >= end_) {
      fail<UsageError>({.where = "Prefetcher", .expected = "items up to " + std::to_string(end_), .got = "one more"});
    }
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

  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    room_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      room_.wait(lock, [&] { return stopping_ || next_in_ >= end_ || next_in_ - next_out_ < depth_; });
      if (stopping_ || next_in_ >= end_) return;
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
  std::uint64_t end_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable made_;
  std::uint64_t next_out_;
  std::uint64_t next_in_;
  bool stopping_ = false;
  std::map<std::uint64_t, Slot> ready_;
  std::vector<std::thread> threads_;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/base/parallel.ipp>
#endif
