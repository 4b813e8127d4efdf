// fuse_activation on small schedules.
#include "engine/agreement.hpp"
#include "schedule/memory_model.hpp"

#include <posemachine/graph/build.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/schedule/make_schedule.hpp>
#include <posemachine/schedule/passes/fuse_activation.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace fuse_activation_test {

using namespace posemachine;
using namespace posemachine::schedule;
using namespace posemachine::engine;
using schedule_test::step_of;

namespace {

Schedule fused(const Graph& graph) {
  Schedule schedule = make_schedule(graph, 1, {8, 8}, Mode::inference);
  fuse_activation(schedule);
  return schedule;
}

}  // namespace

TEST_CASE("fuse_activation: a convolution takes in the ReLU that alone reads it, and only the first of two") {
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
  CHECK(step->activation() >= 0);
  CHECK(step->dst == once.id);
  CHECK(step_of(schedule, once) == nullptr);
  REQUIRE(step_of(schedule, twice) != nullptr);
  CHECK(step_of(schedule, twice)->dst == twice.id);
  // The convolution's own value is never stored: no step writes it, so the arena gives it nothing.
  CHECK(schedule.value(learned.id).first_step == -1);
  CHECK(schedule.value(once.id).first_step == 1);
  CHECK(schedule.value(once.id).last_step == 2);
}

TEST_CASE("fuse_activation: a convolution that another operation reads too keeps its own value") {
  Graph graph;
  const Value learned = convolution(graph, add_input(graph, "image", 3), {.out = 16});
  add_output(graph, "out", add(graph, std::array{learned, relu(graph, learned)}));
  const Schedule schedule = fused(graph);
  CHECK(schedule.steps.size() == graph.nodes.size());
  CHECK(step_of(schedule, learned)->activation() == -1);
}

TEST_CASE("fuse_activation: two ReLUs of one convolution both stay") {
  Graph graph;
  const Value learned = convolution(graph, add_input(graph, "image", 3), {.out = 16});
  add_output(graph, "out", concat(graph, {relu(graph, learned), relu(graph, learned)}));
  CHECK(fused(graph).steps.size() == graph.nodes.size());
}

TEST_CASE("fuse_activation: a convolution that is an output keeps its own value") {
  Graph graph;
  const Value learned = convolution(graph, add_input(graph, "image", 3), {.out = 16});
  add_output(graph, "before", learned);
  add_output(graph, "after", relu(graph, learned));
  const Schedule schedule = fused(graph);
  CHECK(schedule.steps.size() == graph.nodes.size());
  CHECK(step_of(schedule, learned)->activation() == -1);
}

TEST_CASE(
    "fuse_activation: every activation is taken in, in training only where its gradient needs what stands after it") {
  int stored = 0;
  for (const OpInfo* op : forward_ops) {
    if (op->kind() != OpKind::activation) continue;
    const std::string name(op->name);
    CAPTURE(name);
    Graph network;
    const Value learned = convolution(network, add_input(network, "image", 3), {.out = 17, .kernel = 3});
    const Value bent = op == &leaky_relu_op ? leaky_relu(network, learned, {.slope_millionths = 200'000})
                                            : add_node(network, *op, {}, {learned});
    add_output(network, "out", convolution(network, bent, {.out = 2}));
    const Schedule schedule = fused(network);
    CHECK(step_of(schedule, learned)->activation() == info(network, bent).producer);
    CHECK(schedule.steps.size() == network.nodes.size() - 1);
    const Graph graph = differentiate(network);
    Schedule training = make_schedule(graph, 1, {8, 8}, Mode::training);
    fuse_activation(training);
    int readers = 0;
    for (const Node& node : graph.nodes) {
      for (int k = 0; k < node.inputs.count; ++k) readers += input(graph, node, k).id == learned.id ? 1 : 0;
    }
    CHECK((step_of(training, learned)->activation() >= 0) == (readers == 1));
    stored += readers > 1 ? 1 : 0;
    for (const int batch : {1, 3}) {
      engine_test::check_forward(network, batch, {9, 7}, {}, name);
      bool checked = false;
      for (std::uint64_t seed = 12; !checked && seed < 20; ++seed) {
        checked = engine_test::check_gradients(network, batch, {9, 7}, {}, name, seed);
      }
      CHECK(checked);
    }
    // The kernels with it are compiled ones, none is the reference.
    const auto filling = reference::fill(network, 1, {9, 7}, 3);
    ProgramOptions options;
    options.image = {9, 7};
    for (const ProgramStep& step : engine_test::run_graph(network, filling, options).steps) {
      CHECK_MESSAGE(!step.implementation.starts_with("ref"), (step.description + " " + step.implementation));
    }
  }
  CHECK(stored > 0);
}

TEST_CASE("fuse_activation: a ReLU behind another operation than a convolution stays") {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  const Value pooled = relu(graph, max_pool(graph, image, {.window = 2}));
  const Value scaled = relu(graph, batch_norm(graph, pooled));
  add_output(graph, "out", relu(graph, scaled));
  CHECK(fused(graph).steps.size() == graph.nodes.size());
}

TEST_CASE("fuse_activation: in training the ReLU's dst stays for its backward node") {
  Graph network;
  const Value learned = convolution(network, add_input(network, "image", 3), {.out = 16});
  const Value bent = relu(network, learned);
  add_output(network, "out", convolution(network, bent, {.out = 2}));
  const Graph graph = differentiate(network);
  Schedule schedule = make_schedule(graph, 2, {8, 8}, Mode::training);
  fuse_activation(schedule);
  CHECK(step_of(schedule, learned)->activation() >= 0);
  CHECK(schedule.steps.size() == graph.nodes.size() - 1);
  int backward = -1;
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    if (schedule.node(schedule.steps[i]).op == &relu_backward_op) backward = static_cast<int>(i);
  }
  CHECK(backward > 0);
  CHECK(schedule.value(bent.id).last_step == backward);
}

}  // namespace fuse_activation_test
