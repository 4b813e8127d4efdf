// The definitions of engine/slice_sum.hpp.
#pragma once

#include <posemachine/engine/slice_sum.hpp>

#include <algorithm>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

POSEMACHINE_INLINE SliceSum::SliceSum(int items, BlockPartition share, std::size_t floats)
    : items_(items), share_(share), floats_(floats), states_(static_cast<std::size_t>(share.count)) {
  own_.push_back(make_aligned<float>(floats));
}

POSEMACHINE_INLINE void SliceSum::restart() {
  free_.clear();
  for (std::size_t i = 1; i < own_.size(); ++i) free_.push_back(own_[i].get());
  std::fill(states_.begin(), states_.end(), State{});
}

POSEMACHINE_INLINE float* SliceSum::take(int item) {
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

POSEMACHINE_INLINE void SliceSum::put(int item) {
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

POSEMACHINE_INLINE std::vector<float*> SliceSum::rows() const {
  std::vector<float*> rows;
  for (const State& each : states_) rows.push_back(each.row);
  return rows;
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
