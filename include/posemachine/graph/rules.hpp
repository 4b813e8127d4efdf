// The rules a graph must keep, each with the sentence that says so.
#pragma once

#include <posemachine/core/config.hpp>

#include <cstdint>
#include <string_view>

namespace posemachine::inline POSEMACHINE_BUILD {

enum class Rule : std::uint8_t {
  none,
  option_range,
  input_count,
  branch_strides,
  branch_channels,
  channels_divide,
  channels_limit,
  stride_limit,
  global_kernel,
  spatial_source,
  gate_shape,
  parameter_shape,
  dilation_rate,
  scale_limit,
  shared_shape,
  tag_unknown,
  tag_repeated,
  output_missing,
  count
};

/// The rule's sentence, and what its two figures are.
struct RuleText {
  std::string_view sentence;
  std::string_view first;
  std::string_view second;
};

constexpr RuleText rule_text(Rule rule) {
  switch (rule) {
    case Rule::option_range: return {"an option is outside its range", "option's position", "its value"};
    case Rule::input_count: return {"an operation has too few or too many inputs", "inputs given", "inputs expected"};
    case Rule::branch_strides:
      return {"branches that meet must have the same stride", "stride of the first branch", "stride of this branch"};
    case Rule::branch_channels:
      return {"values that are added must have the same channels", "channels of the first", "channels of this one"};
    case Rule::channels_divide: return {"channels must be divisible", "channels", "divisor"};
    case Rule::channels_limit:
      return {"a value has at most 65536 channels", "channels so far", "channels of this branch"};
    case Rule::stride_limit: return {"a cell covers at most 65536 pixels", "pixels of a src cell", "stride"};
    case Rule::global_kernel:
      return {"a global value has one cell: only 1x1 windows with stride 1 and no padding fit", "kernel", "stride"};
    case Rule::spatial_source: return {"this operation needs a map, not a global value", "input", "channels"};
    case Rule::gate_shape:
      return {"a gate must be a global value with its map's channels", "channels of the map", "channels of the gate"};
    case Rule::parameter_shape:
      return {"a parameter does not have the shape its operation needs", "elements expected", "elements given"};
    case Rule::dilation_rate:
      return {"dilation rates count from 1, a dense convolution", "rate's position", "its value"};
    case Rule::scale_limit: return {"a pixel has at most 256 cells", "cells of a src pixel", "scale"};
    case Rule::shared_shape:
      return {"a shared block is used on values of other channels", "elements it has", "elements needed"};
    case Rule::tag_unknown: return {"From<tag>: no tag of this name is visible here", "tags visible", "node"};
    case Rule::tag_repeated: return {"Tag<name>: the name is visible already; Retag moves it", "tags visible", "node"};
    case Rule::output_missing: return {"a network needs at least one Output", "outputs", "nodes"};
    case Rule::none:
    case Rule::count: break;
  }
  return {"no rule is broken", "", ""};
}

/// The first rule a graph broke while it was built in a constant evaluation.
struct Broken {
  Rule rule = Rule::none;
  int node = 0;   // the node being added
  int first = 0;  // figures: see rule_text
  int second = 0;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
