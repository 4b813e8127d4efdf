// Groups of parameters: patterns, who belongs where, and what the optimiser makes of it.
#include "small_run.hpp"

#include <posemachine/base/parallel.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/model/initialise.hpp>
#include <posemachine/training/optimizer.hpp>
#include <posemachine/training/parameter_groups.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace parameter_groups_test {

using namespace posemachine;

namespace {

// The pattern's meaning, by trying everything.
bool matches_by_definition(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (matches_by_definition(pattern.substr(1), text.substr(i))) return true;
    }
    return false;
  }
  if (text.empty() || (pattern[0] != '?' && pattern[0] != text[0])) return false;
  return matches_by_definition(pattern.substr(1), text.substr(1));
}

}  // namespace

TEST_CASE("matches: * is any text and ? is one character, for all short patterns and texts") {
  const std::string letters = "ab*?";
  int matching = 0;
  std::vector<std::string> patterns{""};
  for (std::size_t i = 0; i < patterns.size() && patterns[i].size() < 5; ++i) {
    for (const char letter : letters) patterns.push_back(patterns[i] + letter);
  }
  std::vector<std::string> texts{""};
  for (std::size_t i = 0; i < texts.size() && texts[i].size() < 5; ++i) {
    for (const char letter : {'a', 'b'}) texts.push_back(texts[i] + letter);
  }
  int wrong = 0;
  for (const std::string& pattern : patterns) {
    for (const std::string& text : texts) {
      const bool expected = matches_by_definition(pattern, text);
      matching += expected ? 1 : 0;
      wrong += matches(pattern, text) != expected ? 1 : 0;
    }
  }
  CHECK(wrong == 0);
  CHECK(matching > 10000);
}

TEST_CASE("find_groups: the first group that matches counts, and a group without a trained parameter is refused") {
  const Graph graph = graph_of<small_run::Tiny>();
  const std::vector<int> found = find_groups(graph, {{.match = "Conv_1.*"}, {.match = "*.bias"}});
  for (std::size_t id = 0; id < found.size(); ++id) {
    const std::string name = parameter_name(graph, static_cast<int>(id));
    CAPTURE(name);
    CHECK(found[id] == (name.starts_with("Conv_1.") ? 0 : name.ends_with(".bias") ? 1 : -1));
  }
  const auto refused = [&](const std::vector<ParameterGroup>& groups, const std::string& message) {
    CHECK_THROWS_WITH_AS(find_groups(graph, groups), doctest::Contains(message.c_str()), UsageError);
  };
  refused({{.match = "Stage_9.*"}}, "groups[0].match: expected a pattern of the name of a parameter that is trained");
  refused({{.match = "*"}, {.match = "*.bias"}}, "groups[1].match");
  refused({{.match = "*.mean"}}, "\"*.mean\"");  // batch norm's: a buffer
}

TEST_CASE("Optimizer: a group's rate multiplies the run's, 0 leaves all as it was, and its decay is its own") {
  const Graph graph = graph_of<small_run::Tiny>();
  const std::vector<ParameterGroup> groups{{.match = "Conv_2.weights", .rate = 0},
                                           {.match = "Conv_2.bias", .rate = 0.25, .weight_decay = 0.5}};
  for (const std::string kind : {"sgd", "rmsprop", "adamw"}) {
    CAPTURE(kind);
    OptimizerOptions options;
    options.kind = kind;
    options.weight_decay = 0.1;
    const std::vector<Tensor> start = initialise(graph, 1);
    std::vector<Tensor> gradients = initialise(graph, 2);
    for (Tensor& gradient : gradients) gradient.values.assign(gradient.values.size(), 0.5f);
    Workers workers(2);
    std::vector<Tensor> plain = start;
    std::vector<Tensor> grouped = start;
    Optimizer(graph, options).update(plain, gradients, 0.01, 0, workers);
    Optimizer(graph, options, groups).update(grouped, gradients, 0.01, 0, workers);
    OptimizerOptions own = options;  // the same rule for a run of the group's rate and decay
    own.weight_decay = 0.5;
    own.decay_vectors = true;
    std::vector<Tensor> expected = start;
    Optimizer(graph, own).update(expected, gradients, 0.01 * 0.25, 0, workers);
    for (std::size_t id = 0; id < start.size(); ++id) {
      const std::string name = parameter_name(graph, static_cast<int>(id));
      CAPTURE(name);
      if (name == "Conv_2.weights") {
        CHECK(grouped[id].values == start[id].values);
        CHECK(plain[id].values != start[id].values);
      } else if (name == "Conv_2.bias") {
        CHECK(grouped[id].values == expected[id].values);
        CHECK(grouped[id].values != plain[id].values);
      } else {
        CHECK(grouped[id].values == plain[id].values);
      }
    }
  }
}

}  // namespace parameter_groups_test
