// Residents: which values share a buffer, and where in it they stand, while a pass lets more of them do so.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {
namespace detail {

/// Answers what Schedule::place() would, in near constant time however long the chains of parents are.
/// Source: union-find with offsets; Tarjan and van Leeuwen 1984 (path halving, union by size).
class Residents {
 public:
  explicit Residents(const Schedule& schedule);

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
  bool is_read_after(int id, int at, int except);

  /// `part`, until now the root of its buffer, moves into the buffer of `whole`, `offset` channels from its beginning.
  void put(int part, int whole, int offset);

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

  Found find(int id);
  bool overlap(int a, int b);

  const Schedule* schedule_;
  std::vector<Found> links_;
  std::vector<Buffer> buffers_;  // by leader
};

}  // namespace detail
}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/schedule/residents.ipp>
#endif
