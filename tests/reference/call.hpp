// What the oracle hands to the computation of one node.
#pragma once

#include "array.hpp"

#include <posemachine/graph/graph.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace posemachine::reference {

/// What a run depends on besides its inputs: batch norm and dropout differ in training, draws follow seed and step.
struct Context {
  bool training = false;
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  std::uint64_t first_sample = 0;  // of the batch; the others follow
};

/// One node with its operands. dst holds zeros of its shape; a node without a dst has a null one.
struct Call {
  const Graph& graph;
  const Context& context;
  int index;  // of the node
  std::vector<const Array*> inputs;
  const Array* forward_src;  // a backward node: the first input of its forward node; else null
  Array* dst;
  std::vector<std::vector<double>*> parameters;  // batch norm in training moves its buffers
  std::vector<std::vector<double>*> gradients;   // of the parameters, to add to

  const Node& node() const { return graph.nodes[static_cast<std::size_t>(index)]; }
  const Array& src(std::size_t i) const { return *inputs[i]; }
};

/// How the oracle computes an operation.
inline constexpr std::array at_zero{0.0};

struct ReferenceOp {
  const OpInfo* op;
  void (*compute)(const Call&);
  std::span<const double> kinks{};  // of src, cell by cell: where the gradient jumps
};

}  // namespace posemachine::reference
