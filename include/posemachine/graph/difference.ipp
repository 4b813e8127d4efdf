// The definitions of graph/difference.hpp.
#pragma once

#include <posemachine/graph/difference.hpp>

#include <posemachine/graph/op_info.hpp>

#include <algorithm>
#include <cstddef>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE std::string first_difference(const Graph& a, const Graph& b) {
  const auto differ = [](const std::string& what, const auto& one, const auto& other) {
    return what + ": " + std::string(one) + " and " + std::string(other);
  };
  for (std::size_t i = 0; i < std::min(a.parameters.size(), b.parameters.size()); ++i) {
    const std::string name = parameter_name(a, static_cast<int>(i));
    const std::string other = parameter_name(b, static_cast<int>(i));
    if (name != other) return differ("parameter " + std::to_string(i), name, other);
    const Parameter& one = a.parameters[i];
    const Parameter& two = b.parameters[i];
    if (one.extents != two.extents || one.rank != two.rank) {
      const auto shape = [](const Parameter& p) {
        std::string text = "(";
        for (int k = 0; k < p.rank; ++k)
          text += (k ? ", " : "") + std::to_string(p.extents[static_cast<std::size_t>(k)]);
        return text + ")";
      };
      return differ("shape of " + name, shape(one), shape(two));
    }
    if (one.type != two.type) return differ("type of " + name, name_of(one.type), name_of(two.type));
    if (one.trainable != two.trainable) return name + ": learnt in one, a buffer in the other";
  }
  if (a.parameters.size() != b.parameters.size()) {
    return differ("number of parameters", std::to_string(a.parameters.size()), std::to_string(b.parameters.size()));
  }
  for (std::size_t i = 0; i < std::min(a.nodes.size(), b.nodes.size()); ++i) {
    const Node& one = a.nodes[i];
    const Node& two = b.nodes[i];
    const std::string what = describe(a, static_cast<int>(i));
    if (one.op->name != two.op->name || one.op->version != two.op->version)
      return differ(what, one.op->name, two.op->name);
    for (std::size_t k = 0; k < one.op->options.size(); ++k) {
      if (one.options[k] == two.options[k] || one.op->options[k].name == "init") continue;
      return differ(what + ", " + std::string(one.op->options[k].name), std::to_string(one.options[k]),
                    std::to_string(two.options[k]));
    }
    if (one.inputs.count != two.inputs.count) {
      return differ(what + ", inputs", std::to_string(one.inputs.count), std::to_string(two.inputs.count));
    }
    for (int k = 0; k < one.inputs.count; ++k) {
      const int from = input(a, one, k).id;
      const int to = input(b, two, k).id;
      if (from != to)
        return differ(what + ", input " + std::to_string(k), "value " + std::to_string(from),
                      "value " + std::to_string(to));
    }
    if (one.parameters.count != two.parameters.count) {
      return differ(what + ", parameters", std::to_string(one.parameters.count), std::to_string(two.parameters.count));
    }
    for (int k = 0; k < one.parameters.count; ++k) {
      const std::string from = parameter_name(a, parameter_id(a, one, k));
      const std::string to = parameter_name(b, parameter_id(b, two, k));
      if (from != to) return differ(what + ", parameter " + std::to_string(k), from, to);
    }
  }
  if (a.nodes.size() != b.nodes.size()) {
    return differ("number of nodes", std::to_string(a.nodes.size()), std::to_string(b.nodes.size()));
  }
  const auto compare = [&](const std::vector<Port>& one, const std::vector<Port>& two,
                           const std::string& kind) -> std::string {
    if (one.size() != two.size())
      return differ("number of " + kind + "s", std::to_string(one.size()), std::to_string(two.size()));
    for (std::size_t i = 0; i < one.size(); ++i) {
      if (name_text(a, one[i].name) != name_text(b, two[i].name)) {
        return differ(kind + " " + std::to_string(i), name_text(a, one[i].name), name_text(b, two[i].name));
      }
      if (one[i].value == two[i].value) continue;
      return differ(kind + " " + std::string(name_text(a, one[i].name)), "value " + std::to_string(one[i].value),
                    "value " + std::to_string(two[i].value));
    }
    return "";
  };
  const std::string inputs = compare(a.inputs, b.inputs, "input");
  return inputs.empty() ? compare(a.outputs, b.outputs, "output") : inputs;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
