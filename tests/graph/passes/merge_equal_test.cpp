// merge_equal and move_gates: less to compute, the same outputs.
#include "reference/fill.hpp"
#include "reference/oracle.hpp"
#include "reference/random_graph.hpp"

#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/graph/passes/merge_equal.hpp>
#include <posemachine/graph/passes/move_gates.hpp>
#include <posemachine/graph/queries.hpp>
#include <posemachine/networks/registry.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace merge_equal_test {

using namespace posemachine;

namespace {

int count_ops(const Graph& graph, const OpInfo& op) {
  int count = 0;
  for (const Node& node : graph.nodes) count += node.op == &op ? 1 : 0;
  return count;
}

Graph merged(Graph graph) {
  std::vector<Tensor> none;
  merge_equal(graph, none);
  return graph;
}

// The outputs of both, by the oracle: the largest difference over the largest magnitude.
double difference(const Graph& before, const Graph& after, Size image, std::uint64_t seed) {
  const auto filling = reference::fill(before, 2, image, seed);
  const auto now = reference::fill(after, 2, image, seed);  // by name: parameters may be fewer
  const auto expected = reference::run(before, 2, image, filling.inputs, filling.parameters);
  const auto got = reference::run(after, 2, image, now.inputs, now.parameters);
  double largest = 1e-9;
  double error = 0;
  for (std::size_t i = 0; i < before.outputs.size(); ++i) {
    const auto& one = expected[Value{before.outputs[i].value}].values;
    const auto& two = got[Value{after.outputs[i].value}].values;
    REQUIRE(one.size() == two.size());
    for (std::size_t k = 0; k < one.size(); ++k) {
      largest = std::max(largest, std::abs(one[k]));
      error = std::max(error, std::abs(one[k] - two[k]));
    }
  }
  return error / largest;
}

}  // namespace

TEST_CASE("merge_equal: the means of a map that every stage gates are computed once, exactly as before") {
  const Graph graph = find_network("scaling-dilation")->build();
  const Graph once = merged(graph);
  CHECK(count_ops(graph, global_average_pool_op) == 5);
  CHECK(count_ops(once, global_average_pool_op) == 2);
  CHECK(once.nodes.size() == graph.nodes.size() - 3);
  CHECK(once.parameters.size() == graph.parameters.size());
  CHECK(difference(graph, once, {16, 24}, 3) == 0);
}

TEST_CASE("merge_equal: chains merge as a whole; other options, weights, draws and outputs keep their own") {
  Graph graph;
  const Value x = add_input(graph, "image", 3);
  const Value a = sigmoid(graph, average_pool(graph, x, {.window = 2}));
  const Value b = sigmoid(graph, average_pool(graph, x, {.window = 2}));
  const Value c = sigmoid(graph, average_pool(graph, x, {.window = 2, .ceil = 1}));
  const Value sum = add(graph, std::array{convolution(graph, a, {.out = 4}), convolution(graph, b, {.out = 4})});
  const Value noise =
      add(graph, std::array{dropout(graph, sum, {.percent = 50}), dropout(graph, sum, {.percent = 50})});
  add_output(graph, "maps", concat(graph, {noise, c}));
  add_output(graph, "first", relu(graph, sum));
  add_output(graph, "second", relu(graph, sum));
  const Graph once = merged(graph);
  CHECK(count_ops(once, average_pool_op) == 2);
  CHECK(count_ops(once, sigmoid_op) == 2);
  CHECK(count_ops(once, convolution_op) == 2);
  CHECK(count_ops(once, dropout_op) == 2);
  CHECK(count_ops(once, relu_op) == 2);
  CHECK(once.nodes.size() == graph.nodes.size() - 2);
}

TEST_CASE("merge_equal: random networks with everything twice compute the same bytes with half of it") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const auto random = reference::random_graph(seed, {.dropout = false});
    const Graph graph = merged(random.graph);  // without what is dead or there twice by chance
    Graph twice = graph;
    std::vector<Value> copies;
    for (const Node& node : graph.nodes) {
      std::vector<Value> inputs;
      for (int k = 0; k < node.inputs.count; ++k) {
        inputs.push_back(copies[static_cast<std::size_t>(input(graph, node, k).id)]);
      }
      const std::vector<int> parameters = parameter_ids(graph, node);
      copies.push_back(node.op == &input_op ? Value{node.dst}
                                            : add_node(twice, {node.op, node.options, inputs, parameters}));
    }
    add_output(twice, "again", copies[static_cast<std::size_t>(answer(graph).id)]);
    const Graph once = merged(twice);
    CHECK(once.nodes.size() == graph.nodes.size() + 1);  // the second output has a value of its own
    CHECK(difference(twice, once, random.image, seed) == 0);
  }
}

TEST_CASE("move_gates: a gated map that is only averaged is averaged first; its readers see the same values") {
  for (const bool global : {false, true}) {
    Graph graph;
    const Value x = convolution(graph, add_input(graph, "image", 3), {.out = 6, .kernel = 3});
    const Value gate = sigmoid(graph, convolution(graph, global_average_pool(graph, x), {.out = 6}));
    const Value gated = channel_scale(graph, x, gate);
    const Value mean = global ? global_average_pool(graph, gated)
                              : average_pool(graph, gated, {.window = 3, .stride = 2, .padding = 1, .ceil = 1});
    add_output(graph, "maps", convolution(graph, mean, {.out = 4}));
    Graph moved = graph;
    move_gates(moved);
    const Node& first = moved.nodes[static_cast<std::size_t>(info(moved, gated).producer)];
    const Node& second = moved.nodes[static_cast<std::size_t>(info(moved, mean).producer)];
    CHECK(first.op == (global ? &global_average_pool_op : &average_pool_op));
    CHECK(input(moved, first, 0) == x);
    CHECK(second.op == &channel_scale_op);
    CHECK(input(moved, second, 0) == gated);
    CHECK(input(moved, second, 1) == gate);
    const bool same_stride = stride_of(moved, gated) == stride_of(moved, mean);
    CHECK(same_stride);
    CHECK(difference(graph, moved, {9, 7}, 5) < 1e-14);
  }
}

TEST_CASE("move_gates: a gated map that others read too, or that is an output, stays") {
  for (const bool output : {false, true}) {
    Graph graph;
    const Value x = convolution(graph, add_input(graph, "image", 3), {.out = 6, .kernel = 3});
    const Value gated = channel_scale(graph, x, sigmoid(graph, global_average_pool(graph, x)));
    const Value mean = average_pool(graph, gated, {.window = 2});
    if (output) add_output(graph, "gated", gated);
    if (!output) add_output(graph, "other", convolution(graph, gated, {.out = 2}));
    add_output(graph, "maps", mean);
    Graph moved = graph;
    move_gates(moved);
    CHECK(moved.nodes[static_cast<std::size_t>(info(moved, gated).producer)].op == &channel_scale_op);
  }
}

}  // namespace merge_equal_test
