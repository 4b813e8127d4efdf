// The rules a graph must keep, each with the sentence that says so.
#pragma once

#include <posemachine/core/config.hpp>

#include <cstdint>
#include <string_view>

// What each rule says: as(its sentence, what its first figure is, what its second is). Macros, because where compilation
// stops with a sentence it must be a literal, and one per rule, so that compilers point at the rule and not at a list.
// clang-format off: one rule after another
#define POSEMACHINE_RULE_option_range(as) as("an option is outside its range", "option's position", "its value")
#define POSEMACHINE_RULE_input_count(as) \
  as("an operation has too few or too many inputs", \
     "inputs given", "inputs expected")
#define POSEMACHINE_RULE_input_types(as) \
  as("values that meet must have the same type (f32 0, bf16 1, f16 2, s8 3, u8 4, s32 5)", \
     "type of the first", "type of this one")
#define POSEMACHINE_RULE_branch_strides(as) \
  as("branches that meet must have the same stride", \
     "stride of the first branch", "stride of this branch")
#define POSEMACHINE_RULE_branch_channels(as) \
  as("values that are added must have the same channels", \
     "channels of the first", "channels of this one")
#define POSEMACHINE_RULE_channels_divide(as) as("channels must be divisible", "channels", "divisor")
#define POSEMACHINE_RULE_channels_limit(as) \
  as("a value has at most 65536 channels", \
     "channels so far", "channels of this branch")
#define POSEMACHINE_RULE_stride_limit(as) as("a cell covers at most 65536 pixels", "pixels of a src cell", "stride")
#define POSEMACHINE_RULE_global_kernel(as) \
  as("a global value has one cell: only 1x1 windows with stride 1 and no padding fit", \
     "kernel", "stride")
#define POSEMACHINE_RULE_spatial_source(as) as("this operation needs a map, not a global value", "input", "channels")
#define POSEMACHINE_RULE_gate_shape(as) \
  as("a gate must be a global value with its map's channels", \
     "channels of the map", "channels of the gate")
#define POSEMACHINE_RULE_parameter_shape(as) \
  as("a parameter does not have the shape its operation needs", \
     "elements expected", "elements given")
#define POSEMACHINE_RULE_dilation_rate(as) \
  as("dilation rates count from 1, a dense convolution", \
     "rate's position", "its value")
#define POSEMACHINE_RULE_scale_limit(as) as("a pixel has at most 256 cells", "cells of a src pixel", "scale")
#define POSEMACHINE_RULE_shared_shape(as) \
  as("a shared block is used on values of other channels", \
     "elements it has", "elements needed")
#define POSEMACHINE_RULE_tag_unknown(as) as("From<tag>: no tag of this name is visible here", "tags visible", "node")
#define POSEMACHINE_RULE_tag_repeated(as) \
  as("Tag<name>: the name is visible already; Retag moves it", \
     "tags visible", "node")
#define POSEMACHINE_RULE_even_kernel(as) \
  as("an even kernel keeps the size only by an uneven padding: give an odd one, an even stride, or the padding", \
     "kernel", "stride")
#define POSEMACHINE_RULE_output_missing(as) as("a network needs at least one Output", "outputs", "nodes")
// clang-format on

#define POSEMACHINE_RULE_MESSAGE(sentence, first, second) sentence " (node, " first ", " second ")"
#define POSEMACHINE_RULE_TEXT(sentence, first, second) \
  RuleText { sentence, first, second }

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

enum class Rule : std::uint8_t {
  none,
  option_range,
  input_count,
  input_types,
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
  even_kernel,
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
    case Rule::option_range: return POSEMACHINE_RULE_option_range(POSEMACHINE_RULE_TEXT);
    case Rule::input_count: return POSEMACHINE_RULE_input_count(POSEMACHINE_RULE_TEXT);
    case Rule::input_types: return POSEMACHINE_RULE_input_types(POSEMACHINE_RULE_TEXT);
    case Rule::branch_strides: return POSEMACHINE_RULE_branch_strides(POSEMACHINE_RULE_TEXT);
    case Rule::branch_channels: return POSEMACHINE_RULE_branch_channels(POSEMACHINE_RULE_TEXT);
    case Rule::channels_divide: return POSEMACHINE_RULE_channels_divide(POSEMACHINE_RULE_TEXT);
    case Rule::channels_limit: return POSEMACHINE_RULE_channels_limit(POSEMACHINE_RULE_TEXT);
    case Rule::stride_limit: return POSEMACHINE_RULE_stride_limit(POSEMACHINE_RULE_TEXT);
    case Rule::global_kernel: return POSEMACHINE_RULE_global_kernel(POSEMACHINE_RULE_TEXT);
    case Rule::spatial_source: return POSEMACHINE_RULE_spatial_source(POSEMACHINE_RULE_TEXT);
    case Rule::gate_shape: return POSEMACHINE_RULE_gate_shape(POSEMACHINE_RULE_TEXT);
    case Rule::parameter_shape: return POSEMACHINE_RULE_parameter_shape(POSEMACHINE_RULE_TEXT);
    case Rule::dilation_rate: return POSEMACHINE_RULE_dilation_rate(POSEMACHINE_RULE_TEXT);
    case Rule::scale_limit: return POSEMACHINE_RULE_scale_limit(POSEMACHINE_RULE_TEXT);
    case Rule::shared_shape: return POSEMACHINE_RULE_shared_shape(POSEMACHINE_RULE_TEXT);
    case Rule::tag_unknown: return POSEMACHINE_RULE_tag_unknown(POSEMACHINE_RULE_TEXT);
    case Rule::tag_repeated: return POSEMACHINE_RULE_tag_repeated(POSEMACHINE_RULE_TEXT);
    case Rule::output_missing: return POSEMACHINE_RULE_output_missing(POSEMACHINE_RULE_TEXT);
    case Rule::even_kernel: return POSEMACHINE_RULE_even_kernel(POSEMACHINE_RULE_TEXT);
    case Rule::none:
    case Rule::count: break;
  }
  return {"no rule is broken", "", ""};
}

/// Stands for a type of layer: its address is an argument of what compilation stops with, and so names the type.
struct LayerMark {};
template <class Layer>
struct Layered {  // a member: Clang prints the arguments of its class
  static constexpr LayerMark mark{};
};

/// The first rule a graph broke while it was built in a constant evaluation.
struct Broken {
  Rule rule = Rule::none;
  int node = 0;   // the node being added
  int first = 0;  // figures: see rule_text
  int second = 0;
  const LayerMark* innermost = nullptr;  // the layer that was being added; null: none was
  const LayerMark* block = nullptr;      // the outermost block that it is part of; null: it is part of none
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
