// Random networks of the whole vocabulary: through files, through every pass, forward and backward, against the oracle.
#include "engine/agreement.hpp"
#include "engine/custom_ops.hpp"
#include "reference/oracle.hpp"
#include "reference/random_graph.hpp"
#include "schedule/memory_model.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/graph/difference.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/model/graph_json.hpp>
#include <posemachine/model/op_set.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace random_networks_test {

using namespace posemachine;
using namespace posemachine::schedule;
using namespace posemachine::engine;
using engine_test::check_forward;
using engine_test::check_gradients;
using engine_test::run_graph;

namespace {

const std::vector<ProgramOptions> choices = engine_test::pass_choices();

}  // namespace

TEST_CASE("random networks: 60 of the whole vocabulary come back from their JSON the same and compute the same bytes") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    const reference::RandomGraph random = reference::random_graph(seed);
    const Json json = graph_to_json(random.graph);
    const Graph back = graph_from_json(parse_json(json.dump(), "text"), "m");
    REQUIRE(first_difference(random.graph, back) == "");
    CHECK(graph_to_json(back) == json);
    const reference::Filling filling = reference::fill(random.graph, random.batch, random.image, seed);
    const auto expected = reference::run(random.graph, random.batch, random.image, filling.inputs, filling.parameters);
    const auto got = reference::run(back, random.batch, random.image, filling.inputs, filling.parameters);
    for (std::size_t i = 0; i < back.outputs.size(); ++i) {
      CHECK(got[Value{back.outputs[i].value}].values == expected[Value{random.graph.outputs[i].value}].values);
    }
  }
}

TEST_CASE("random networks: with all passes and with each one off they equal the oracle, forward and backward") {
  int checked = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const auto random = reference::random_graph(seed, {});
    for (std::size_t k = 0; k < choices.size(); ++k) {
      const std::string what = "seed " + std::to_string(seed) + " choice " + std::to_string(k);
      check_forward(random.graph, random.batch, random.image, choices[k], what);
      checked += check_gradients(random.graph, random.batch, random.image, choices[k], what) ? 1 : 0;
    }
  }
  CHECK(checked >= 36 * static_cast<int>(choices.size()));
}

TEST_CASE("random networks: of residual blocks, with all passes and with each one off, they equal the oracle") {
  int sums = 0;
  int checked = 0;
  for (std::uint64_t seed = 301; seed <= 330; ++seed) {
    const auto random = reference::random_graph(seed, {.most_channels = 20, .residuals = true});
    const Schedule schedule = schedule_test::schedule_of(random.graph, random.batch, random.image, 16, {});
    for (const Step& step : schedule.steps) sums += step.summand() >= 0 ? 1 : 0;
    CHECK(schedule_test::first_damage(schedule) == "");
    for (std::size_t k = 0; k < choices.size(); ++k) {
      const std::string what = "residual seed " + std::to_string(seed) + " choice " + std::to_string(k);
      check_forward(random.graph, random.batch, random.image, choices[k], what);
      if (k == 0) checked += check_gradients(random.graph, random.batch, random.image, {}, what) ? 1 : 0;
    }
  }
  CHECK(sums >= 30);
  CHECK(checked >= 20);
}

TEST_CASE("random networks: wide ones, whose concats share memory at batch 1, equal the oracle") {
  int checked = 0;
  for (std::uint64_t seed = 101; seed <= 120; ++seed) {
    const auto random = reference::random_graph(seed, {.steps = 16, .most_channels = 48});
    const std::string what = "wide seed " + std::to_string(seed);
    check_forward(random.graph, 1, random.image, {}, what);
    checked += check_gradients(random.graph, 1, random.image, {}, what) ? 1 : 0;
  }
  CHECK(checked >= 15);
}

TEST_CASE("random networks: with operations of a user's own, read back from their files, they equal the oracle") {
  // The oracle runs the same draws with the library's prelu, which the user's computes too.
  const OpSet ops{&custom_ops::prelu_op};
  int with_own = 0;
  int checked = 0;
  for (std::uint64_t seed = 201; seed <= 230; ++seed) {
    const reference::RandomGraphOptions size{.steps = 20};
    reference::RandomGraphOptions own = size;
    own.prelu = custom_ops::slopes<custom_ops::prelu_op>;
    const auto random = reference::random_graph(seed, size);
    const Graph graph = graph_from_json(graph_to_json(reference::random_graph(seed, own).graph), "m", ops);
    int count = 0;
    for (const Node& node : graph.nodes) count += node.op == &custom_ops::prelu_op ? 1 : 0;
    if (count == 0) continue;
    ++with_own;
    const std::string what = "own seed " + std::to_string(seed);
    for (const ProgramOptions& options : {choices.front(), choices.back()}) {
      check_forward(random.graph, random.batch, random.image, options, what, engine_test::forward_tolerance, &graph);
      checked += check_gradients(random.graph, random.batch, random.image, options, what, 12, &graph) ? 1 : 0;
    }
  }
  CHECK(with_own >= 10);
  CHECK(checked >= 14);
}

TEST_CASE("random networks: read back from their files they give the bytes of the ones they were made from") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto random = reference::random_graph(seed, {});
    const Graph back = graph_from_json(graph_to_json(random.graph), "m");
    const auto filling = reference::fill(random.graph, random.batch, random.image, 11);
    ProgramOptions options;
    options.batch = random.batch;
    options.image = random.image;
    CHECK(run_graph(back, filling, options).outputs == run_graph(random.graph, filling, options).outputs);
    options.mode = Mode::training;
    const Graph training = differentiate(random.graph);
    const auto gradient_filling = reference::fill(training, random.batch, random.image, 12);
    CHECK(run_graph(differentiate(back), gradient_filling, options).gradients ==
          run_graph(training, gradient_filling, options).gradients);
  }
}

}  // namespace random_networks_test
