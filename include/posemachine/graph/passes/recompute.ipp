// The definitions of graph/passes/recompute.hpp.
#pragma once

#include <posemachine/graph/passes/recompute.hpp>

#include <posemachine/graph/ops/pooling.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE int forward_node_count(const Graph& graph) {
  int count = 0;
  for (const Node& node : graph.nodes) {
    const bool gradient_input =
        node.inputs.count == 0 && node.dst >= 0 && graph.values[static_cast<std::size_t>(node.dst)].like >= 0;
    if (gradient_input) break;
    ++count;
  }
  return count;
}

namespace detail {

class Recomputation {
 public:
  Recomputation(Graph& graph, std::span<const int> ends)
      : graph_(graph),
        forward_count_(forward_node_count(graph)),
        segment_(static_cast<std::size_t>(forward_count_)),
        repeat_(static_cast<std::size_t>(forward_count_), false),
        copy_(static_cast<std::size_t>(forward_count_), -1),
        repeated_(ends.size() + 1, false) {
    for (int node = 0, at = 0; node < forward_count_; ++node) {
      while (at < static_cast<int>(ends.size()) && node >= ends[static_cast<std::size_t>(at)]) ++at;
      segment_[static_cast<std::size_t>(node)] = at;
      // Activations stay with what they follow: an engine makes one step of both.
      const Node& each = graph.nodes[static_cast<std::size_t>(node)];
      if (each.op->traits.is_cheap) {
        segment_[static_cast<std::size_t>(node)] = segment(producer(input(graph, each, 0).id));
      }
    }
    find_kept();
    find_repeated();
  }

  void run() {
    std::vector<Node> old = std::move(graph_.nodes);
    graph_.nodes.assign(old.begin(), old.begin() + forward_count_);
    for (std::size_t i = static_cast<std::size_t>(forward_count_); i < old.size(); ++i) {
      Node node = old[i];
      // Where a backward node first asks for anything of a segment, all of it that is wanted is computed again.
      for (int k = 0; k < node.inputs.count; ++k) repeat_segment_of(producer(input(graph_, node, k).id), old);
      repeat_segment_of(node.forward, old);
      for (int k = 0; k < node.inputs.count; ++k) {
        int& operand = graph_.operands[static_cast<std::size_t>(node.inputs.first + k)];
        operand = value_after(operand);
      }
      if (node.forward >= 0 && copy_[static_cast<std::size_t>(node.forward)] >= 0) {
        node.forward = copy_[static_cast<std::size_t>(node.forward)];
      }
      append(node);
    }
  }

 private:
  bool is_forward(int node) const { return node >= 0 && node < forward_count_; }
  int producer(int value) const { return graph_.values[static_cast<std::size_t>(value)].producer; }
  int last_segment() const { return static_cast<int>(repeated_.size()) - 1; }
  int segment(int node) const { return segment_[static_cast<std::size_t>(node)]; }
  bool is_kept(int value) const { return kept_[static_cast<std::size_t>(value)]; }

  // Inputs, outputs, what another segment reads, and the last segment: its backward nodes come first.
  void find_kept() {
    kept_.assign(graph_.values.size(), false);
    for (int i = 0; i < forward_count_; ++i) {
      const Node& node = graph_.nodes[static_cast<std::size_t>(i)];
      if (node.inputs.count == 0 || segment(i) == last_segment()) kept_[static_cast<std::size_t>(node.dst)] = true;
      for (int k = 0; k < node.inputs.count; ++k) {
        const int value = input(graph_, node, k).id;
        if (segment(producer(value)) != segment(i)) kept_[static_cast<std::size_t>(value)] = true;
      }
    }
    for (const Port& port : graph_.outputs) kept_[static_cast<std::size_t>(port.value)] = true;
  }

  // What backward nodes read and was not kept, and what that is computed from.
  void find_repeated() {
    const auto want = [&](int node) {
      if (is_forward(node) && !is_kept(graph_.nodes[static_cast<std::size_t>(node)].dst)) {
        repeat_[static_cast<std::size_t>(node)] = true;
      }
    };
    for (std::size_t i = static_cast<std::size_t>(forward_count_); i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      for (int k = 0; k < node.inputs.count; ++k) want(producer(input(graph_, node, k).id));
      // The positions of the maxima are kept by the pooling itself.
      if (is_forward(node.forward) &&
          graph_.nodes[static_cast<std::size_t>(node.forward)].op->kind() == OpKind::max_pooling) {
        want(node.forward);
      }
    }
    for (int i = forward_count_; i-- > 0;) {
      if (!repeat_[static_cast<std::size_t>(i)]) continue;
      const Node& node = graph_.nodes[static_cast<std::size_t>(i)];
      for (int k = 0; k < node.inputs.count; ++k) want(producer(input(graph_, node, k).id));
    }
  }

  void repeat_segment_of(int node, const std::vector<Node>& old) {
    if (!is_forward(node) || !repeat_[static_cast<std::size_t>(node)]) return;
    const int which = segment(node);
    if (repeated_[static_cast<std::size_t>(which)]) return;
    repeated_[static_cast<std::size_t>(which)] = true;
    for (int i = 0; i < forward_count_; ++i) {
      if (segment(i) != which || !repeat_[static_cast<std::size_t>(i)]) continue;
      Node again = old[static_cast<std::size_t>(i)];
      const Range inputs{static_cast<int>(graph_.operands.size()), again.inputs.count};
      for (int k = 0; k < again.inputs.count; ++k) {
        graph_.operands.push_back(value_after(input(graph_, again, k).id));
      }
      again.inputs = inputs;
      again.repeats = i;
      ValueInfo value = graph_.values[static_cast<std::size_t>(again.dst)];
      again.dst = static_cast<int>(graph_.values.size());
      graph_.values.push_back(value);
      copy_[static_cast<std::size_t>(i)] = static_cast<int>(graph_.nodes.size());
      append(again);
    }
  }

  // The value that holds, from here on, what `value` held in the forward pass.
  int value_after(int value) const {
    const int node = producer(value);
    if (!is_forward(node) || copy_[static_cast<std::size_t>(node)] < 0) return value;
    return graph_.nodes[static_cast<std::size_t>(copy_[static_cast<std::size_t>(node)])].dst;
  }

  void append(const Node& node) {
    if (node.dst >= 0) {
      graph_.values[static_cast<std::size_t>(node.dst)].producer = static_cast<int>(graph_.nodes.size());
    }
    graph_.nodes.push_back(node);
  }

  Graph& graph_;
  int forward_count_;
  std::vector<int> segment_;    // by forward node
  std::vector<bool> repeat_;    // by forward node: whether it is computed a second time
  std::vector<int> copy_;       // by forward node: the node that computes it a second time; -1: none yet
  std::vector<bool> repeated_;  // by segment
  std::vector<bool> kept_;      // by value
};

}  // namespace detail

POSEMACHINE_INLINE void recompute(Graph& graph, std::span<const int> ends) { detail::Recomputation(graph, ends).run(); }

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
