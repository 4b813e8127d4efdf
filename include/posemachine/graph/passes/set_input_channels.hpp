// set_input_channels: the same network for pictures of another number of channels.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops/input.hpp>
#include <posemachine/graph/passes/set_output_channels.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Gives the input of that name so many channels; the convolutions that read it get the shapes that follow. Names stay.
/// Errors: ModelError where there is no such input, or where another layer depends on the channels it had.
inline void set_input_channels(Graph& graph, std::string_view name, int count) {
  Graph changed = graph;
  bool found = false;
  for (const Port& port : changed.inputs) {
    if (name_text(changed, port.name) != name) continue;
    found = true;
    const int producer = changed.values[static_cast<std::size_t>(port.value)].producer;
    Node& node = changed.nodes[static_cast<std::size_t>(producer)];
    auto options = unpack<InputOptions>(node.options);
    options.channels = count;
    node.options = pack(options);
  }
  if (!found) {
    fail<ModelError>({.where = "inputs", .expected = "an input of the graph", .got = std::string(name.substr(0, 40))});
  }
  detail::update_channels(changed);
  graph = std::move(changed);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
