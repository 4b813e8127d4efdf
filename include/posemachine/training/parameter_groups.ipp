// The definitions of training/parameter_groups.hpp.
#pragma once

#include <posemachine/training/parameter_groups.hpp>

#include <posemachine/core/error.hpp>

#include <cstddef>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE bool matches(std::string_view pattern, std::string_view text) {
  std::size_t at = 0, p = 0;
  std::size_t star = std::string_view::npos, begin = 0;  // the last star, and where what it stands for begins
  while (at < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || (pattern[p] != '*' && pattern[p] == text[at]))) {
      ++p;
      ++at;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      begin = at;
    } else if (star != std::string_view::npos) {  // let the star stand for one more
      p = star + 1;
      at = ++begin;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

POSEMACHINE_INLINE std::vector<int> find_groups(const Graph& graph, const std::vector<ParameterGroup>& groups) {
  std::vector<int> found(graph.parameters.size(), -1);
  std::vector<bool> used(groups.size(), false);
  for (std::size_t id = 0; id < found.size(); ++id) {
    const std::string name = parameter_name(graph, static_cast<int>(id));
    for (std::size_t g = 0; g < groups.size() && found[id] < 0; ++g) {
      if (!matches(groups[g].match, name)) continue;
      found[id] = static_cast<int>(g);
      used[g] = used[g] || graph.parameters[id].trainable;
    }
  }
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (used[g]) continue;
    const std::string example = graph.parameters.empty() ? "" : parameter_name(graph, 0);
    fail<UsageError>({.where = "groups[" + std::to_string(g) + "].match",
                      .expected = "a pattern of the name of a parameter that is trained, as " + example,
                      .got = "\"" + groups[g].match + "\", which is none's, or only of those of earlier groups",
                      .remedy = "a block's parameters are BLOCK.*; posemachine summary NET --nodes lists the blocks"});
  }
  return found;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
