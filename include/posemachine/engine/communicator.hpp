// Communicator: processes that compute a step together, and the sum of their slices along the tree of one process.
#pragma once

#include <posemachine/core/config.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <type_traits>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

/// The processes of a job, as one of them sees them. All ranks make calls that fit together, in one order; a call may
/// wait for the others, and bytes mean the same to all. Called by one thread of each process.
class Communicator {
 public:
  Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  virtual ~Communicator() = default;

  virtual int rank() const = 0;  // of this process, 0 to count - 1
  virtual int count() const = 0;

  /// To a rank that receives as many bytes from this one. Errors: RuntimeFailure where they do not arrive.
  virtual void send(int to, std::span<const std::byte> bytes) = 0;
  /// Errors: RuntimeFailure where they do not come.
  virtual void receive(int from, std::span<std::byte> bytes) = 0;
  /// Gives the bytes of `root` to every rank; all of them call it. Errors: RuntimeFailure where they do not come.
  virtual void broadcast(int root, std::span<std::byte> bytes) = 0;
};

/// A rank's part of a list: items that follow each other.
struct BlockPartition {
  int first = 0;
  int count = 0;
};

/// What `rank` has of `items`: no rank has more than one item more than another.
BlockPartition share_of_rank(int rank, int ranks, int items);

/// The rank in whose share an item is.
int owner_of(int item, int ranks, int items);

/// Completes a list whose items are rows of equal length: each rank has written those of its share and gets the rest.
template <class T>
void exchange(Communicator& ranks, std::span<T> rows, int items) {
  static_assert(std::is_trivially_copyable_v<T>, "exchange: values that bytes carry");
  const std::size_t row = rows.size() / static_cast<std::size_t>(items);
  for (int root = 0; root < ranks.count(); ++root) {
    const BlockPartition share = share_of_rank(root, ranks.count(), items);
    const std::span<T> part =
        rows.subspan(static_cast<std::size_t>(share.first) * row, static_cast<std::size_t>(share.count) * row);
    ranks.broadcast(root, std::as_writable_bytes(part));
  }
}

/// Rank 0's text, on every rank.
std::string text_of_first(Communicator& ranks, std::string text);

/// Whether any rank says so, on every rank.
bool any_of_ranks(Communicator& ranks, bool own);

/// Sums `items` rows of floats that lie with their ranks, in the order of one process (SliceSum). `rows` are those of
/// this rank's share, at least one, and are overwritten; null: was added to another of this rank's before. The sum
/// comes to rows[0] of every rank. `add` adds its second row to its first; `spare` is as long as a row.
void sum_over_ranks(Communicator& ranks, int items, std::span<float* const> rows, std::span<float> spare,
                    const std::function<void(float* into, const float* from)>& add);

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/communicator.ipp>
#endif
