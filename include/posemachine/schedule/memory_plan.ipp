// The definitions of schedule/memory_plan.hpp.
#pragma once

#include <posemachine/schedule/memory_plan.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

POSEMACHINE_INLINE void assign_arena(Schedule& schedule, bool reuse) {
  struct Live {
    std::size_t bytes = 0;
    int first = -1;
    int last = -1;
    std::size_t offset = 0;
  };
  const std::size_t alignment = 64;  // a cache line, and an AVX-512 register
  std::vector<Live> buffers(schedule.values.size() + schedule.workspaces.size());
  for (std::size_t i = 0; i < schedule.values.size(); ++i) {
    const ScheduledValue& value = schedule.values[i];
    if (value.first_step < 0) continue;
    Live& root = buffers[static_cast<std::size_t>(schedule.place(static_cast<int>(i)).root)];
    root.first = root.first < 0 ? value.first_step : std::min(root.first, value.first_step);
    root.last = std::max(root.last, value.last_step);
    if (value.parent < 0 && !value.external) root.bytes = value.buffer_bytes();
  }
  for (std::size_t i = 0; i < schedule.workspaces.size(); ++i) {
    const Workspace& workspace = schedule.workspaces[i];
    buffers[schedule.values.size() + i] = {workspace.bytes, workspace.first_step, workspace.last_step, 0};
  }
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const Live &one = buffers[a], &other = buffers[b];
    if (one.bytes != other.bytes) return one.bytes > other.bytes;
    const int one_lives = one.last - one.first, other_lives = other.last - other.first;
    return one_lives != other_lives ? one_lives > other_lives : a < b;
  });
  std::vector<std::size_t> placed;  // by offset
  schedule.arena_bytes = 0;
  for (const std::size_t which : order) {
    Live& buffer = buffers[which];
    if (buffer.bytes == 0) continue;
    std::size_t offset = 0;
    for (const std::size_t other : placed) {
      const Live& taken = buffers[other];
      const bool together = !reuse || (taken.first <= buffer.last && buffer.first <= taken.last);
      if (!together) continue;
      if (offset + buffer.bytes <= taken.offset) break;
      offset = std::max(offset, (taken.offset + taken.bytes + alignment - 1) / alignment * alignment);
    }
    buffer.offset = offset;
    const auto at = std::upper_bound(placed.begin(), placed.end(), offset, [&](std::size_t value, std::size_t other) {
      return value < buffers[other].offset;
    });
    placed.insert(at, which);
    schedule.arena_bytes = std::max(schedule.arena_bytes, offset + buffer.bytes);
  }
  for (std::size_t i = 0; i < schedule.values.size(); ++i) schedule.values[i].arena_offset = buffers[i].offset;
  for (std::size_t i = 0; i < schedule.workspaces.size(); ++i) {
    schedule.workspaces[i].arena_offset = buffers[schedule.values.size() + i].offset;
  }
}

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
