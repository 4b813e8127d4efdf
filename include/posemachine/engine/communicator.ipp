// The definitions of engine/communicator.hpp.
#pragma once

#include <posemachine/engine/communicator.hpp>

#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

POSEMACHINE_INLINE BlockPartition share_of_rank(int rank, int ranks, int items) {
  const auto begin = [&](int which) { return static_cast<int>(std::int64_t{items} * which / ranks); };
  return {begin(rank), begin(rank + 1) - begin(rank)};
}

POSEMACHINE_INLINE int owner_of(int item, int ranks, int items) {
  int rank = 0;
  while (item >= share_of_rank(rank, ranks, items).first + share_of_rank(rank, ranks, items).count) ++rank;
  return rank;
}

POSEMACHINE_INLINE std::string text_of_first(Communicator& ranks, std::string text) {
  std::uint64_t size = text.size();
  ranks.broadcast(0, std::as_writable_bytes(std::span(&size, 1)));
  text.resize(static_cast<std::size_t>(size));
  ranks.broadcast(0, std::as_writable_bytes(std::span(text)));
  return text;
}

POSEMACHINE_INLINE bool any_of_ranks(Communicator& ranks, bool own) {
  bool any = false;
  for (int root = 0; root < ranks.count(); ++root) {
    std::uint8_t said = own ? 1 : 0;
    ranks.broadcast(root, std::as_writable_bytes(std::span(&said, 1)));
    any = any || said != 0;
  }
  return any;
}

POSEMACHINE_INLINE void sum_over_ranks(Communicator& ranks, int items, std::span<float* const> rows,
                                       std::span<float> spare,
                                       const std::function<void(float* into, const float* from)>& add) {
  const int rank = ranks.rank();
  const int first = share_of_rank(rank, ranks.count(), items).first;
  const auto row = [&](int item) { return rows[static_cast<std::size_t>(item - first)]; };
  // Every rank goes through the edges in this one order: of those that wait, the first has both its ends there.
  for (int distance = 1; distance < items; distance *= 2) {
    for (int i = 0; i + distance < items; i += 2 * distance) {
      const int into = owner_of(i, ranks.count(), items);
      const int from = owner_of(i + distance, ranks.count(), items);
      if (into == rank && from == rank) {
        if (row(i + distance) != nullptr) add(row(i), row(i + distance));
      } else if (into == rank) {
        ranks.receive(from, std::as_writable_bytes(spare));
        add(row(i), spare.data());
      } else if (from == rank) {
        ranks.send(into, std::as_bytes(std::span<const float>(row(i + distance), spare.size())));
      }
    }
  }
  ranks.broadcast(0, std::as_writable_bytes(std::span<float>(rows[0], spare.size())));
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
