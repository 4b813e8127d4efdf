// MinimumCut: two sides for the nodes of a network such that what is cut costs least.
#pragma once

#include <posemachine/core/config.hpp>

#include <cstddef>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {
namespace detail {

/// Source: Ford and Fulkerson 1956; augmenting along shortest paths, Edmonds and Karp 1972, in levels, Dinic 1970.
class MinimumCut {
 public:
  static constexpr int source = 0;
  static constexpr int sink = 1;

  int add_node();

  /// Costs `cost` where `from` is on the source's side and `to` on the sink's.
  void add_edge(int from, int to, double cost);

  /// By node: whether it is on the source's side. Where sides cost the same, the sink's.
  std::vector<bool> solve();

 private:
  struct Edge {
    int to = 0;
    double room = 0;  // the reverse of an edge follows it, or precedes it
  };
  static constexpr double most = 1e15;  // finite, so that infinite costs can be added and compared
  static constexpr double negligible = 1e-6;
  static std::size_t at(int index) { return static_cast<std::size_t>(index); }

  bool find_levels();

  // Fills one path whose levels rise, if there is one. Not recursive: a path may be as long as the network is deep.
  bool augment();
  bool leads_on(int node, std::size_t edge) const;

  std::vector<Edge> edges_;
  std::vector<std::vector<std::size_t>> edges_of_{2};
  std::vector<int> level_;
  std::vector<std::size_t> next_;
};

}  // namespace detail
}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/schedule/minimum_cut.ipp>
#endif
