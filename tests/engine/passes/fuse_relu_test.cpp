// fuse_relu on small schedules.
#include "engine/passes/memory_model.hpp"

#include <posemachine/engine/lower.hpp>
#include <posemachine/engine/passes/fuse_relu.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>

using namespace posemachine;
using engine_test::step_of;

namespace {

Schedule fused(const Graph& graph) {
  Schedule schedule = lower(graph, 1, {8, 8}, Mode::inference, 16);
  fuse_relu(schedule);
  return schedule;
}

}  // namespace

TEST_CASE("fuse_relu: a convolution takes in the ReLU that alone reads it, and only the first of two") {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  const Value learned = convolution(graph, image, {.out = 16, .kernel = 3});
  const Value once = relu(graph, learned);
  const Value twice = relu(graph, once);
  add_output(graph, "out", convolution(graph, twice, {.out = 4}));
  const Schedule schedule = fused(graph);
  REQUIRE(schedule.steps.size() == graph.nodes.size() - 1);
  const Step* step = step_of(schedule, learned);
  REQUIRE(step != nullptr);
  CHECK(step->relu);
  CHECK(step->dst == once.id);
  CHECK(step_of(schedule, once) == nullptr);
  REQUIRE(step_of(schedule, twice) != nullptr);
  CHECK(step_of(schedule, twice)->dst == twice.id);
  // The convolution's own value is never stored: no step writes it, so the arena gives it nothing.
  CHECK(schedule.value(learned.id).first_step == -1);
  CHECK(schedule.value(once.id).first_step == 1);
  CHECK(schedule.value(once.id).last_step == 2);
}

TEST_CASE("fuse_relu: a convolution that another operation reads too keeps its own value") {
  Graph graph;
  const Value learned = convolution(graph, add_input(graph, "image", 3), {.out = 16});
  add_output(graph, "out", add(graph, std::array{learned, relu(graph, learned)}));
  const Schedule schedule = fused(graph);
  CHECK(schedule.steps.size() == graph.nodes.size());
  CHECK_FALSE(step_of(schedule, learned)->relu);
}

TEST_CASE("fuse_relu: two ReLUs of one convolution both stay") {
  Graph graph;
  const Value learned = convolution(graph, add_input(graph, "image", 3), {.out = 16});
  add_output(graph, "out", concat(graph, {relu(graph, learned), relu(graph, learned)}));
  CHECK(fused(graph).steps.size() == graph.nodes.size());
}

TEST_CASE("fuse_relu: a convolution that is an output keeps its own value") {
  Graph graph;
  const Value learned = convolution(graph, add_input(graph, "image", 3), {.out = 16});
  add_output(graph, "before", learned);
  add_output(graph, "after", relu(graph, learned));
  const Schedule schedule = fused(graph);
  CHECK(schedule.steps.size() == graph.nodes.size());
  CHECK_FALSE(step_of(schedule, learned)->relu);
}

TEST_CASE("fuse_relu: a ReLU behind another operation than a convolution stays") {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  const Value pooled = relu(graph, max_pool(graph, image, {.window = 2}));
  const Value scaled = relu(graph, batch_norm(graph, pooled));
  add_output(graph, "out", relu(graph, scaled));
  CHECK(fused(graph).steps.size() == graph.nodes.size());
}

TEST_CASE("fuse_relu: in training the ReLU's dst stays for its backward node") {
  Graph network;
  const Value learned = convolution(network, add_input(network, "image", 3), {.out = 16});
  const Value bent = relu(network, learned);
  add_output(network, "out", convolution(network, bent, {.out = 2}));
  const Graph graph = differentiate(network);
  Schedule schedule = lower(graph, 2, {8, 8}, Mode::training, 16);
  fuse_relu(schedule);
  CHECK(step_of(schedule, learned)->relu);
  CHECK(schedule.steps.size() == graph.nodes.size() - 1);
  int backward = -1;
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    if (schedule.node(schedule.steps[i]).op == &relu_backward_op) backward = static_cast<int>(i);
  }
  CHECK(backward > 0);
  CHECK(schedule.value(bent.id).last_step == backward);
}
