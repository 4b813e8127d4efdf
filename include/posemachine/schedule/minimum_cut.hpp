// MinimumCut: two sides for the nodes of a network such that what is cut costs least.
#pragma once

#include <posemachine/core/config.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <queue>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD::detail {

/// Source: Ford and Fulkerson 1956; augmenting along shortest paths, Edmonds and Karp 1972, in levels, Dinic 1970.
class MinimumCut {
 public:
  static constexpr int source = 0;
  static constexpr int sink = 1;

  int add_node() {
    edges_of_.emplace_back();
    return static_cast<int>(edges_of_.size()) - 1;
  }

  /// Costs `cost` where `from` is on the source's side and `to` on the sink's.
  void add_edge(int from, int to, double cost) {
    if (!(cost > 0)) return;
    edges_of_[at(from)].push_back(edges_.size());
    edges_.push_back({to, std::min(cost, most)});
    edges_of_[at(to)].push_back(edges_.size());
    edges_.push_back({from, 0});
  }

  /// By node: whether it is on the source's side. Where sides cost the same, the sink's.
  std::vector<bool> solve() {
    while (find_levels()) {
      next_.assign(edges_of_.size(), 0);
      while (augment()) {
      }
    }
    std::vector<bool> side(edges_of_.size());
    for (std::size_t node = 0; node < side.size(); ++node) side[node] = level_[node] >= 0;
    return side;
  }

 private:
  struct Edge {
    int to = 0;
    double room = 0;  // the reverse of an edge follows it, or precedes it
  };
  static constexpr double most = 1e15;  // finite, so that infinite costs can be added and compared
  static constexpr double negligible = 1e-6;
  static std::size_t at(int index) { return static_cast<std::size_t>(index); }

  bool find_levels() {
    level_.assign(edges_of_.size(), -1);
    level_[at(source)] = 0;
    std::queue<int> reached({source});
    while (!reached.empty()) {
      const int node = reached.front();
      reached.pop();
      for (const std::size_t edge : edges_of_[at(node)]) {
        const int to = edges_[edge].to;
        if (edges_[edge].room <= negligible || level_[at(to)] >= 0) continue;
        level_[at(to)] = level_[at(node)] + 1;
        reached.push(to);
      }
    }
    return level_[at(sink)] >= 0;
  }

  // Fills one path whose levels rise, if there is one. Not recursive: a path may be as long as the network is deep.
  bool augment() {
    std::vector<std::size_t> path;
    int node = source;
    while (node != sink) {
      std::size_t& i = next_[at(node)];
      const std::vector<std::size_t>& edges = edges_of_[at(node)];
      while (i < edges.size() && !leads_on(node, edges[i])) ++i;
      if (i < edges.size()) {
        path.push_back(edges[i]);
        node = edges_[edges[i]].to;
      } else if (path.empty()) {
        return false;
      } else {  // a dead end
        node = edges_[path.back() ^ 1].to;
        path.pop_back();
        ++next_[at(node)];
      }
    }
    double flow = most;
    for (const std::size_t edge : path) flow = std::min(flow, edges_[edge].room);
    for (const std::size_t edge : path) {
      edges_[edge].room -= flow;
      edges_[edge ^ 1].room += flow;
    }
    return true;
  }

  bool leads_on(int node, std::size_t edge) const {
    return edges_[edge].room > negligible && level_[at(edges_[edge].to)] == level_[at(node)] + 1;
  }

  std::vector<Edge> edges_;
  std::vector<std::vector<std::size_t>> edges_of_{2};
  std::vector<int> level_;
  std::vector<std::size_t> next_;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD::detail
