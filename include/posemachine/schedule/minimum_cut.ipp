// The definitions of schedule/minimum_cut.hpp.
#pragma once

#include <posemachine/schedule/minimum_cut.hpp>

#include <algorithm>
#include <queue>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

namespace detail {

POSEMACHINE_INLINE int MinimumCut::add_node() {
  edges_of_.emplace_back();
  return static_cast<int>(edges_of_.size()) - 1;
}

POSEMACHINE_INLINE void MinimumCut::add_edge(int from, int to, double cost) {
  if (!(cost > 0)) return;
  edges_of_[at(from)].push_back(edges_.size());
  edges_.push_back({to, std::min(cost, most)});
  edges_of_[at(to)].push_back(edges_.size());
  edges_.push_back({from, 0});
}

POSEMACHINE_INLINE std::vector<bool> MinimumCut::solve() {
  while (find_levels()) {
    next_.assign(edges_of_.size(), 0);
    while (augment()) {
    }
  }
  std::vector<bool> side(edges_of_.size());
  for (std::size_t node = 0; node < side.size(); ++node) side[node] = level_[node] >= 0;
  return side;
}

POSEMACHINE_INLINE bool MinimumCut::find_levels() {
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

POSEMACHINE_INLINE bool MinimumCut::augment() {
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

POSEMACHINE_INLINE bool MinimumCut::leads_on(int node, std::size_t edge) const {
  return edges_[edge].room > negligible && level_[at(edges_[edge].to)] == level_[at(node)] + 1;
}

}  // namespace detail

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
