// A network drawn: its blocks in columns, what they cost, what flows between them.
#pragma once

#include <posemachine/core/geometry.hpp>
#include <posemachine/graph/graph.hpp>

#include <string>

namespace tool {

/// "a cell in 8 px", "4 cells a px" along a side; "one cell".
std::string stride_text(const posemachine::Stride& stride);

/// An SVG of the network at an input size: a column for each of its top blocks, in it a box for each block inside with
/// shape and cost, every output with its receptive field. Errors: ModelError where the size does not fit.
std::string network_svg(const std::string& name, const posemachine::Graph& graph, posemachine::Size input);

}  // namespace tool
