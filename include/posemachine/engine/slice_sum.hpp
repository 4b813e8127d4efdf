// SliceSum: rows of floats, added up as they come, in an order that does not depend on when they come.
#pragma once

#include <posemachine/base/aligned_memory.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/engine/communicator.hpp>

#include <cstddef>
#include <mutex>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

/// Sums `items` rows along a tree: row i + d goes to row i, for d = 1, 2, 4, ... and i a multiple of 2 d. Each addition
/// is made by whoever brings the later of its two rows, and frees one: with few threads some log2(items) rows for each
/// are all that is kept. take() and put() may be called from several threads.
class SliceSum {
 public:
  /// The rows of a share of the items; what other ranks have is left to sum_over_ranks.
  SliceSum(int items, BlockPartition share, std::size_t floats);

  /// Forgets all rows.
  void restart();

  /// Memory for the row of an item, aligned to 64 bytes. The first item's is always the same.
  float* take(int item);

  /// The row of an item is written.
  void put(int item);

  /// Once all are put: by item of the share, null where a row was added to another. With all items in the share, the
  /// first is the sum.
  std::vector<float*> rows() const;
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
  BlockPartition share_;
  std::size_t floats_;
  std::mutex mutex_;
  std::vector<State> states_;
  std::vector<AlignedArray<float>> own_;
  std::vector<float*> free_;
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/slice_sum.ipp>
#endif
