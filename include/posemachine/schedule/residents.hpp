// Residents: which values share a buffer, and where in it they stand, while a pass lets more of them do so.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD::detail {

/// Answers what Schedule::place() would, in near constant time however long the chains of parents are.
/// Source: union-find with offsets; Tarjan and van Leeuwen 1984 (path halving, union by size).
class Residents {
 public:
  explicit Residents(const Schedule& schedule) : schedule_(&schedule), links_(schedule.values.size()) {
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

  bool are_together(int a, int b) { return find(a).leader == find(b).leader; }
  /// The value whose own buffer holds this one.
  int root(int id) { return buffer(id).root; }
  /// The step that writes the first of all values in the buffer of this one.
  int first_write(int id) { return buffer(id).first_write; }

  /// Whether a value other than `id` and `except` stands, in part, on the channels of `id` and fulfils the condition.
  template <class Condition>
  bool overlaps_any(int id, int except, const Condition& condition) {
    const std::vector<int>& others = buffer(id).all;
    return std::any_of(others.begin(), others.end(), [&](int other) {
      return other != id && other != except && overlap(id, other) && condition(schedule_->value(other));
    });
  }

  /// Whether, after step `at`, something reads a value that stands on channels of `id`, other than `except`; `id`
  /// counts. From one call to the next `at` must not become smaller: what is dead is forgotten.
  bool is_read_after(int id, int at, int except) {
    std::vector<int>& others = buffer(id).alive;
    std::erase_if(others, [&](int other) { return schedule_->value(other).last_step <= at; });
    return std::any_of(others.begin(), others.end(), [&](int other) { return other != except && overlap(id, other); });
  }

  /// `part`, until now the root of its buffer, moves into the buffer of `whole`, `offset` channels from its beginning.
  void put(int part, int whole, int offset) {
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

  /// Channels from the beginning of the root to that of the value.
  int offset_in_root(int id) { return find(id).offset - find(root(id)).offset; }

 private:
  struct Found {
    int leader = -1;  // of all values in the buffer
    int offset = 0;   // channels from the leader to the value
  };
  struct Buffer {
    int root = -1;
    int first_write = std::numeric_limits<int>::max();
    std::vector<int> all{};
    std::vector<int> alive{};  // those that is_read_after() has not found dead
  };

  static std::size_t at(int id) { return static_cast<std::size_t>(id); }
  Buffer& buffer(int id) { return buffers_[at(find(id).leader)]; }

  Found find(int id) {
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

  bool overlap(int a, int b) {
    const int first_a = find(a).offset, first_b = find(b).offset;
    return first_b < first_a + schedule_->value(a).c && first_a < first_b + schedule_->value(b).c;
  }

  const Schedule* schedule_;
  std::vector<Found> links_;
  std::vector<Buffer> buffers_;  // by leader
};

}  // namespace posemachine::inline POSEMACHINE_BUILD::detail
