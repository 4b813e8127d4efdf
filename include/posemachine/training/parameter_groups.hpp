// Groups of parameters that learn at rates of their own.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/graph/graph.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Parameters by name, as summary --nodes prints them: "Stage_1.*", "*.bias". `*` stands for any number of characters,
/// `?` for one.
struct ParameterGroup {
  std::string match{};
  double rate = 1;           // times the run's learning rate; 0: left as they are
  double weight_decay = -1;  // instead of the optimiser's; -1: the optimiser's
};

/// Whether a pattern of `*`, `?` and plain characters describes the whole text.
inline bool matches(std::string_view pattern, std::string_view text) {
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

/// The group of every parameter, by id: an index into `groups`, the first that matches; -1: none.
/// Errors: UsageError for a group that no trainable parameter belongs to.
inline std::vector<int> find_groups(const Graph& graph, const std::vector<ParameterGroup>& groups) {
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

}  // namespace posemachine::inline POSEMACHINE_BUILD
