// input: () -> (C, H, W); where a graph is fed.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/data_type.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

struct InputOptions {
  std::int32_t channels = 3;
  std::int32_t type = 0;  // a DataType
};

inline constexpr std::array input_options{
    OptionInfo{"channels", 1, 65536},
    OptionInfo{"type", 0, static_cast<std::int32_t>(data_type_names.size()) - 1, true},
};

inline constexpr OpInfo input_op{
    .name = "input",
    .min_inputs = 0,
    .max_inputs = 0,
    .options = input_options,
    .infer = [](Graph&, const Node& node) { return unpack<InputOptions>(node.options).channels; },
    .type = [](Graph&, const Node& node) { return static_cast<DataType>(unpack<InputOptions>(node.options).type); },
    .traits = {.kind = OpKind::input},
};

/// Adds a named input of the given channels, at stride 1.
constexpr Value add_input(Graph& graph, std::string_view name, int channel_count, DataType type = DataType::f32) {
  const InputOptions options{.channels = channel_count, .type = static_cast<std::int32_t>(type)};
  const Value value = add_node(graph, input_op, pack(options), {});
  graph.inputs.push_back({intern(graph, name), value.id, 0});
  return value;
}

/// Adds an input that carries the gradient of `of` into a training graph.
inline Value add_gradient_input(Graph& graph, std::string_view name, Value of) {
  const Value value =
      add_node(graph, {.op = &input_op,
                       .options = pack(InputOptions{.channels = channels(graph, of),
                                                    .type = static_cast<std::int32_t>(info(graph, of).type)}),
                       .like = of.id});
  graph.inputs.push_back({intern(graph, name), value.id, 0});
  return value;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
