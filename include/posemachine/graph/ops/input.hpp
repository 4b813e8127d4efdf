// input: () -> (C, H, W); where a graph is fed.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace posemachine::inline POSEMACHINE_BUILD {

struct InputOptions {
  std::int32_t channels = 3;
};

inline constexpr std::array input_options{OptionInfo{"channels", 1, 65536}};

inline constexpr OpInfo input_op{
    .name = "input",
    .min_inputs = 0,
    .max_inputs = 0,
    .options = input_options,
    .infer = [](Graph&, const Node& node) { return unpack<InputOptions>(node.options).channels; },
    .traits = {.kind = OpKind::input},
};

/// Adds a named input of the given channels, at stride 1.
constexpr Value add_input(Graph& graph, std::string_view name, int channel_count) {
  const Value value = add_node(graph, input_op, pack(InputOptions{.channels = channel_count}), {});
  graph.inputs.push_back({intern(graph, name), value.id, 0});
  return value;
}

/// Adds an input that carries the gradient of `of` into a training graph.
inline Value add_gradient_input(Graph& graph, std::string_view name, Value of) {
  const Value value =
      add_node(graph, {.op = &input_op, .options = pack(InputOptions{.channels = channels(graph, of)}), .like = of.id});
  graph.inputs.push_back({intern(graph, name), value.id, 0});
  return value;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
