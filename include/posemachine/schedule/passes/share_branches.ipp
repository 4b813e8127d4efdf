// The definitions of schedule/passes/share_branches.hpp.
#pragma once

#include <posemachine/schedule/passes/share_branches.hpp>

#include <posemachine/graph/op_info.hpp>
#include <posemachine/schedule/slices.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

namespace detail {

// Channels of a buffer, from `first` up to `end`.
struct ChannelRange {
  int first = 0;
  int end = 0;

  bool meets(const ChannelRange& other) const { return first < other.end && other.first < end; }
  bool holds(const ChannelRange& other) const { return first <= other.first && other.end <= end; }
};

// Within the buffer of the value's root, whole blocks.
POSEMACHINE_INLINE ChannelRange range_of(const Schedule& schedule, int id) {
  const int first = schedule.place(id).channel_offset;
  return {first, first + schedule.value(id).padded_channels()};
}

// Values that live in one buffer.
POSEMACHINE_INLINE std::vector<int> values_in(const Schedule& schedule, int root) {
  std::vector<int> found;
  for (std::size_t id = 0; id < schedule.values.size(); ++id) {
    const int value = static_cast<int>(id);
    if (schedule.value(value).first_step >= 0 && schedule.place(value).root == root) found.push_back(value);
  }
  return found;
}

POSEMACHINE_INLINE bool live_together(const ScheduledValue& a, const ScheduledValue& b) {
  return a.first_step <= b.last_step && b.first_step <= a.last_step;
}

// Whether a value does not change what stands at `shared`: itself, what it was made of, or a concat that holds it.
POSEMACHINE_INLINE bool keeps(const Schedule& schedule, int value, int shared) {
  const ScheduledValue& candidate = schedule.value(value);
  if (value == shared || candidate.first_step < schedule.value(shared).first_step) return true;
  const Step& writer = schedule.steps[static_cast<std::size_t>(candidate.first_step)];
  if (writer.kind() != OpKind::concat || writer.dst != value) return false;
  int offset = range_of(schedule, value).first;
  for (const int branch : writer.srcs) {
    if (branch == shared && schedule.place(branch).channel_offset == offset) return true;
    offset += schedule.value(branch).c;
  }
  return false;
}

// Whether a value has `dst`, a concat, inside it: the concat itself, or a later one that it is a branch of. Nothing else
// may be written where the concat's branch already stands.
POSEMACHINE_INLINE bool contains(const Schedule& schedule, int value, int dst) {
  if (value == dst) return true;
  const ScheduledValue& candidate = schedule.value(value);
  if (candidate.first_step <= schedule.value(dst).first_step) return false;
  const Step& writer = schedule.steps[static_cast<std::size_t>(candidate.first_step)];
  const bool is_concat = writer.dst == value && writer.kind() == OpKind::concat;
  return is_concat && range_of(schedule, value).holds(range_of(schedule, dst));
}

POSEMACHINE_INLINE int buffer_channels(const Schedule& schedule, int root) {
  const ScheduledValue& value = schedule.value(root);
  return value.buffer_channels > 0 ? value.buffer_channels : value.padded_channels();
}

// Whether the buffer of `dst`, a concat that has the branch `shared`, may lie over the buffer of that branch, `base`
// channels from its beginning. Where it juts out the other has to grow, by less than is shared.
POSEMACHINE_INLINE bool fits_over(const Schedule& schedule, int dst, int shared, int base) {
  const int whole = schedule.place(dst).root;
  const int root = schedule.place(shared).root;
  const ScheduledValue& buffer = schedule.value(root);
  const ChannelRange held = range_of(schedule, shared);
  if (root == whole || buffer.external || schedule.value(whole).external || base % schedule.block() != 0) return false;
  const int before = std::max(0, -base);
  const int behind = std::max(0, base + buffer_channels(schedule, whole) - buffer_channels(schedule, root));
  if (before + behind > 0 && before + behind >= held.end - held.first) return false;
  const std::vector<int> there = values_in(schedule, root);
  for (const int part : values_in(schedule, whole)) {
    ChannelRange range = range_of(schedule, part);
    range = {range.first + base, range.end + base};
    for (const int other : there) {
      const ChannelRange taken = range_of(schedule, other);
      if (!range.meets(taken) || !live_together(schedule.value(part), schedule.value(other))) continue;
      const ChannelRange overlap{std::max(range.first, taken.first), std::min(range.end, taken.end)};
      const bool unharmed = keeps(schedule, other, shared) && contains(schedule, part, dst);
      if (!held.holds(overlap) || !unharmed) return false;
    }
  }
  return true;
}

// Puts the buffer of `whole` over that of `root`, `base` channels from its beginning.
POSEMACHINE_INLINE void lay_over(Schedule& schedule, int whole, int root, int base) {
  const int before = std::max(0, -base);
  const int own = buffer_channels(schedule, root);
  const int channels = before + std::max(own, base + buffer_channels(schedule, whole));
  ScheduledValue& under = schedule.value(root);
  ScheduledValue& over = schedule.value(whole);
  over.channel_offset += base - under.channel_offset;
  over.parent = root;
  over.buffer_channels = 0;
  under.channel_offset += before;
  if (channels > own) under.buffer_channels = channels;
}

}  // namespace detail

POSEMACHINE_INLINE void share_branches(Schedule& schedule, const PassContext&) {
  if (!schedule.device.channel_slices) return;
  for (Step& step : schedule.steps) {
    if (step.kind() != OpKind::concat || step.elided) continue;
    step.elided = true;
    int offset = 0;
    for (const int branch : step.srcs) {
      const Schedule::Place whole = schedule.place(step.dst);  // perhaps itself inside a larger one
      const Schedule::Place held = schedule.place(branch);
      const int base = held.channel_offset - whole.channel_offset - offset;
      const bool dense = detail::is_dense_slice(schedule, schedule.value(branch), offset, schedule.value(step.dst));
      if (dense && schedule.value(branch).parent >= 0 && detail::fits_over(schedule, step.dst, branch, base)) {
        detail::lay_over(schedule, whole.root, held.root, base);
      }
      step.elided = step.elided && schedule.stands_at(branch, step.dst, offset);
      offset += schedule.value(branch).c;
    }
  }
}

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
