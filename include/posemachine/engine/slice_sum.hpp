// SliceSum: rows of floats, added up as they come, in an order that does not depend on when they come.
#pragma once

#include <posemachine/base/aligned_memory.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/engine/ranks.hpp>

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Sums `items` rows along a tree: row i + d goes to row i, for d = 1, 2, 4, ... and i a multiple of 2 d. Each addition
/// is made by whoever brings the later of its two rows, and frees one: with few threads some log2(items) rows for each
/// are all that is kept. take() and put() may be called from several threads.
class SliceSum {
 public:
  /// The rows of a share of the items; what other ranks have is left to sum_over_ranks.
  SliceSum(int items, Share share, std::size_t floats)
      : items_(items), share_(share), floats_(floats), states_(static_cast<std::size_t>(share.count)) {
    own_.push_back(make_aligned<float>(floats));
  }

  /// Forgets all rows.
  void restart() {
    free_.clear();
    for (std::size_t i = 1; i < own_.size(); ++i) free_.push_back(own_[i].get());
    std::fill(states_.begin(), states_.end(), State{});
  }

  /// Memory for the row of an item, aligned to 64 bytes. The first item's is always the same.
  float* take(int item) {
    const std::scoped_lock lock(mutex_);
    float*& row = state(item).row;
    if (item == share_.first) return row = own_.front().get();
    if (free_.empty()) {
      own_.push_back(make_aligned<float>(floats_));
      free_.push_back(own_.back().get());
    }
    row = free_.back();
    free_.pop_back();
    return row;
  }

  /// The row of an item is written.
  void put(int item) {
    std::unique_lock lock(mutex_);
    for (;;) {
      State& mine = state(item);
      const int distance = mine.distance;
      if (distance >= items_) return;  // the sum of all
      const bool goes = item % (2 * distance) == distance;
      const int other = goes ? item - distance : item + distance;
      if (!goes && other >= items_) {
        mine.distance *= 2;
        continue;
      }
      mine.waits = true;
      if (!is_own(other) || !state(other).waits || state(other).distance != distance) return;
      mine.waits = state(other).waits = false;
      const int into = std::min(item, other);
      State& from = state(std::max(item, other));
      float* const sum = state(into).row;
      lock.unlock();
      for (std::size_t k = 0; k < floats_; ++k) sum[k] += from.row[k];
      lock.lock();
      free_.push_back(from.row);
      from.row = nullptr;
      state(into).distance *= 2;
      item = into;
    }
  }

  /// Once all are put: by item of the share, null where a row was added to another. With all items in the share, the
  /// first is the sum.
  std::vector<float*> rows() const {
    std::vector<float*> rows;
    for (const State& each : states_) rows.push_back(each.row);
    return rows;
  }
  float* first() const { return own_.front().get(); }

  std::size_t floats() const { return floats_; }
  /// How many rows there is memory for.
  std::size_t row_count() const { return own_.size(); }

 private:
  struct State {
    float* row = nullptr;
    int distance = 1;    // of the next addition that it takes part in
    bool waits = false;  // for the other row of that addition
  };

  bool is_own(int item) const { return item >= share_.first && item < share_.first + share_.count; }
  State& state(int item) { return states_[static_cast<std::size_t>(item - share_.first)]; }

  int items_;
  Share share_;
  std::size_t floats_;
  std::mutex mutex_;
  std::vector<State> states_;
  std::vector<AlignedArray<float>> own_;
  std::vector<float*> free_;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
