// The definitions of schedule/residents.hpp.
#pragma once

#include <posemachine/schedule/residents.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

namespace detail {

POSEMACHINE_INLINE Residents::Residents(const Schedule& schedule)
    : schedule_(&schedule), links_(schedule.values.size()) {
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const ScheduledValue& value = schedule.values[i];
    links_[i] = {static_cast<int>(i), 0};
    buffers_.push_back({.root = static_cast<int>(i)});
    if (value.first_step < 0) continue;
    buffers_[i].first_write = value.first_step;
    buffers_[i].all.push_back(static_cast<int>(i));
    buffers_[i].alive.push_back(static_cast<int>(i));
  }
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const ScheduledValue& value = schedule.values[i];
    if (value.parent >= 0) put(static_cast<int>(i), value.parent, value.channel_offset);
  }
}

POSEMACHINE_INLINE bool Residents::is_read_after(int id, int at, int except) {
  std::vector<int>& others = buffer(id).alive;
  std::erase_if(others, [&](int other) { return schedule_->value(other).last_step <= at; });
  return std::any_of(others.begin(), others.end(), [&](int other) { return other != except && overlap(id, other); });
}

POSEMACHINE_INLINE void Residents::put(int part, int whole, int offset) {
  const Found of_part = find(part), of_whole = find(whole);
  const int root = buffers_[at(of_whole.leader)].root;
  // Where part's leader stands, seen from whole's.
  const int between = of_whole.offset + offset - of_part.offset;
  // The leader of more values leads all: a value changes its leader so rarely that chains stay short.
  const bool part_leads = buffers_[at(of_part.leader)].all.size() > buffers_[at(of_whole.leader)].all.size();
  Buffer& from = buffers_[at(part_leads ? of_whole.leader : of_part.leader)];
  Buffer& to = buffers_[at(part_leads ? of_part.leader : of_whole.leader)];
  links_[at(part_leads ? of_whole.leader : of_part.leader)] =
      part_leads ? Found{of_part.leader, -between} : Found{of_whole.leader, between};
  to.root = root;
  to.first_write = std::min(to.first_write, from.first_write);
  to.all.insert(to.all.end(), from.all.begin(), from.all.end());
  to.alive.insert(to.alive.end(), from.alive.begin(), from.alive.end());
  from = {};
}

POSEMACHINE_INLINE Residents::Found Residents::find(int id) {
  int offset = 0;
  while (links_[at(id)].leader != id) {
    Found& link = links_[at(id)];
    const Found& next = links_[at(link.leader)];
    if (next.leader != link.leader) link = {next.leader, link.offset + next.offset};
    offset += link.offset;
    id = link.leader;
  }
  return {id, offset};
}

POSEMACHINE_INLINE bool Residents::overlap(int a, int b) {
  const int first_a = find(a).offset, first_b = find(b).offset;
  return first_b < first_a + schedule_->value(a).c && first_a < first_b + schedule_->value(b).c;
}

}  // namespace detail

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
