// The definitions of base/parallel.hpp.
#pragma once

#include <posemachine/base/parallel.hpp>

#include <cstddef>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE Workers::Workers(int threads, std::function<void()> on_entry)
    : threads_(threads), on_entry_(std::move(on_entry)), arena_(permitted(threads)) {
  if (threads < 1) fail<UsageError>({.where = "threads", .expected = "at least 1", .got = std::to_string(threads)});
  if (on_entry_) observer_ = std::make_unique<EntryObserver>(arena_, on_entry_);
}

POSEMACHINE_INLINE void Workers::for_each(int count, const std::function<void(int index, int slot)>& task) {
  if (threads_ == 1 || count <= 1) {
    if (on_entry_ && count > 0) on_entry_();
    for (int i = 0; i < count; ++i) task(i, 0);
    return;
  }
  // oneTBB orders the loop with what stands before and after it, but inside its library, where ThreadSanitizer cannot
  // see it: the same order once more.
  std::atomic<int> ordered;
  ordered.store(0, std::memory_order_release);
  arena_.execute([&] {
    oneapi::tbb::parallel_for(
        0, count,
        [&](int index) {
          const OrderedCall call(ordered);
          task(index, oneapi::tbb::this_task_arena::current_thread_index());
        },
        oneapi::tbb::simple_partitioner{});
  });
  ordered.load(std::memory_order_acquire);
}

POSEMACHINE_INLINE int Workers::permitted(int threads) {
  using oneapi::tbb::global_control;
  const std::size_t most = global_control::active_value(global_control::max_allowed_parallelism);
  return static_cast<int>(std::min(static_cast<std::size_t>(std::max(1, threads)), most));
}

POSEMACHINE_INLINE Workers::EntryObserver::EntryObserver(oneapi::tbb::task_arena& arena,
                                                         const std::function<void()>& on_entry)
    : task_scheduler_observer(arena), on_entry_(on_entry) {
  observe(true);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
