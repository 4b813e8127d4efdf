// The rules a graph must keep, each with the sentence that says so.
#pragma once

#include <posemachine/core/config.hpp>

#include <cstdint>
#include <string_view>

// rule(name, its sentence, what its first figure is, what its second is), for every rule. A macro, because the sentence
// must be a literal where compilation stops with it.
#define POSEMACHINE_FOR_EACH_RULE(rule)                                                                                \
  rule(option_range, "an option is outside its range", "option's position", "its value")                               \
      rule(input_count, "an operation has too few or too many inputs", "inputs given", "inputs expected") rule(        \
          input_types, "values that meet must have the same type (f32 0, bf16 1, f16 2, s8 3, u8 4, s32 5)",           \
          "type of the first",                                                                                         \
          "type of this one") rule(branch_strides, "branches that meet must have the same stride",                     \
                                   "stride of the first branch", "stride of this branch")                              \
          rule(branch_channels, "values that are added must have the same channels", "channels of the first",          \
               "channels of this one") rule(channels_divide, "channels must be divisible", "channels", "divisor")      \
              rule(channels_limit, "a value has at most 65536 channels", "channels so far", "channels of this branch") \
                  rule(stride_limit, "a cell covers at most 65536 pixels", "pixels of a src cell", "stride") rule(     \
                      global_kernel, "a global value has one cell: only 1x1 windows with stride 1 and no padding fit", \
                      "kernel", "stride") rule(spatial_source, "this operation needs a map, not a global value",       \
                                               "input", "channels")                                                    \
                      rule(gate_shape, "a gate must be a global value with its map's channels", "channels of the map", \
                           "channels of the gate") rule(parameter_shape,                                               \
                                                        "a parameter does not have the shape its operation needs",     \
                                                        "elements expected", "elements given")                         \
                          rule(dilation_rate, "dilation rates count from 1, a dense convolution", "rate's position",   \
                               "its value") rule(scale_limit, "a pixel has at most 256 cells", "cells of a src pixel", \
                                                 "scale") rule(shared_shape,                                           \
                                                               "a shared block is used on values of other channels",   \
                                                               "elements it has", "elements needed")                   \
                              rule(tag_unknown, "From<tag>: no tag of this name is visible here", "tags visible",      \
                                   "node")                                                                             \
                                  rule(tag_repeated, "Tag<name>: the name is visible already; Retag moves it",         \
                                       "tags visible", "node")                                                         \
                                      rule(output_missing, "a network needs at least one Output", "outputs", "nodes")

namespace posemachine::inline POSEMACHINE_BUILD {

#define POSEMACHINE_RULE(name, sentence, first, second) name,
enum class Rule : std::uint8_t { none, POSEMACHINE_FOR_EACH_RULE(POSEMACHINE_RULE) count };
#undef POSEMACHINE_RULE

/// The rule's sentence, and what its two figures are.
struct RuleText {
  std::string_view sentence;
  std::string_view first;
  std::string_view second;
};

constexpr RuleText rule_text(Rule rule) {
  switch (rule) {
#define POSEMACHINE_RULE(name, sentence, first, second) \
  case Rule::name: return {sentence, first, second};
    POSEMACHINE_FOR_EACH_RULE(POSEMACHINE_RULE)
#undef POSEMACHINE_RULE
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
