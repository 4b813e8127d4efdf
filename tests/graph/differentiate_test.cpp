// Which nodes differentiate() adds, and which it does not.
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/graph/sizes.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace differentiate_test {

using namespace posemachine;

namespace {

// Names of the nodes from `first` on, without the inputs that bring gradients in.
std::vector<std::string> ops_from(const Graph& graph, std::size_t first) {
  std::vector<std::string> names;
  for (std::size_t i = first; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].op != &input_op) names.emplace_back(graph.nodes[i].op->name);
  }
  return names;
}

std::vector<std::string> added_ops(const Graph& network, DifferentiateOptions options = {}) {
  return ops_from(differentiate(network, options), network.nodes.size());
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("differentiate: the image's gradient is computed only when asked for, then it is an output") {
  Graph graph;
  const Value src = add_input(graph, "image", 3);
  add_output(graph, "maps", relu(graph, convolution(graph, src, {.out = 4, .kernel = 3})));
  CHECK(added_ops(graph) == Names{"relu_backward", "convolution_backward_weights"});
  CHECK(differentiate(graph).outputs.size() == 1);
  CHECK(added_ops(graph, {.input_gradients = true}) ==
        Names{"relu_backward", "convolution_backward_data", "convolution_backward_weights"});
  const Graph asked = differentiate(graph, {.input_gradients = true});
  CHECK(output_name(asked, 1) == "diff_image");
  CHECK(channels(asked, Value{asked.outputs[1].value}) == 3);
}

TEST_CASE("differentiate: nothing is added before the first parameter, batch norm is one node") {
  Graph graph;
  const Value src = add_input(graph, "image", 3);
  const Value pooled = max_pool(graph, relu(graph, src), {.window = 2});
  add_output(graph, "maps", batch_norm(graph, pooled));
  CHECK(added_ops(graph) == Names{"batch_norm_backward"});
  Graph plain;
  add_output(plain, "maps", sigmoid(plain, add_input(plain, "image", 2)));
  CHECK(added_ops(plain).empty());
}

TEST_CASE("differentiate: the gradients of a value that is read twice are summed once, with its shape") {
  Graph graph;
  const Value src = add_input(graph, "image", 3);
  const Value shared = convolution(graph, src, {.out = 4});
  const Value left = convolution(graph, shared, {.out = 5, .kernel = 3, .stride = 2});
  const Value right = max_pool(graph, shared, {.window = 2});
  add_output(graph, "maps", concat(graph, {left, right}));
  add_output(graph, "shared", shared);
  const Graph training = differentiate(graph);
  int sums = 0;
  for (const Node& node : training.nodes) {
    if (node.op != &add_op) continue;
    ++sums;
    CHECK(node.inputs.count == 3);  // of both readers and of the output
    CHECK(info(training, Value{node.dst}).like == shared.id);
    CHECK(channels(training, Value{node.dst}) == 4);
    CHECK(infer_sizes(training, {6, 10})[static_cast<std::size_t>(node.dst)] == Size{6, 10});
  }
  CHECK(sums == 1);
}

TEST_CASE("differentiate: concat's branches get slices of the channels they gave, add's branches the gradient itself") {
  Graph graph;
  const Value src = add_input(graph, "image", 3);
  const Value two = convolution(graph, src, {.out = 2});
  const Value five = convolution(graph, src, {.out = 5});
  const Value whole = concat(graph, {two, src, five});
  add_output(graph, "maps", add(graph, std::array{whole, whole}));
  const Graph training = differentiate(graph);
  std::vector<SliceOptions> slices;
  for (const Node& node : training.nodes) {
    if (node.op == &slice_op) slices.push_back(unpack<SliceOptions>(node.options));
  }
  REQUIRE(slices.size() == 2);  // none for the image
  CHECK(slices[0].first == 0);
  CHECK(slices[0].count == 2);
  CHECK(slices[1].first == 5);
  CHECK(slices[1].count == 5);
  const Names added = ops_from(training, graph.nodes.size());
  CHECK(added == Names{"add", "slice", "slice", "convolution_backward_weights", "convolution_backward_weights"});
}

TEST_CASE("differentiate: a gate's map and gate both get gradients") {
  Graph graph;
  const Value src = add_input(graph, "image", 3);
  const Value map = convolution(graph, src, {.out = 4});
  const Value gate = sigmoid(graph, convolution(graph, global_average_pool(graph, map), {.out = 4}));
  add_output(graph, "maps", channel_scale(graph, map, gate));
  CHECK(added_ops(graph) == Names{"channel_scale", "channel_scale_backward_gate", "sigmoid_backward",
                                  "convolution_backward_data", "convolution_backward_weights",
                                  "global_average_pool_backward", "add", "convolution_backward_weights"});
}

TEST_CASE("differentiate: values that no output depends on get no gradient") {
  Graph graph;
  const Value src = add_input(graph, "image", 3);
  static_cast<void>(convolution(graph, src, {.out = 2}));
  add_output(graph, "maps", convolution(graph, src, {.out = 3, .bias = 0}));
  CHECK(added_ops(graph) == Names{"convolution_backward_weights"});
}

TEST_CASE("differentiate: every output's gradient is an input with its name, channels and size") {
  Graph graph;
  const Value src = add_input(graph, "image", 3);
  const Value half = convolution(graph, src, {.out = 2, .kernel = 3, .stride = 2});
  add_output(graph, "maps", half);
  add_output(graph, "maps", convolution(graph, half, {.out = 5}));
  const Graph training = differentiate(graph);
  REQUIRE(training.inputs.size() == 3);
  CHECK(name_text(training, training.inputs[1].name) == "diff_maps_stage_1");
  CHECK(name_text(training, training.inputs[2].name) == "diff_maps");
  CHECK(channels(training, Value{training.inputs[2].value}) == 5);
  CHECK(infer_sizes(training, {6, 10})[static_cast<std::size_t>(training.inputs[2].value)] == Size{3, 5});
}

TEST_CASE("differentiate: the network stays in front, backward nodes know their forward node and block") {
  Graph graph;
  const Value src = add_input(graph, "image", 3);
  open_scope(graph, "Trunk");
  Value value = convolution(graph, src, {.out = 4, .kernel = 3});
  value = dropout(graph, batch_norm(graph, value), {.percent = 20});
  close_scope(graph, 0);
  add_output(graph, "maps", value);
  const Graph training = differentiate(graph);
  CHECK(training.parameters.size() == graph.parameters.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    CHECK(training.nodes[i].op == graph.nodes[i].op);
    CHECK(training.nodes[i].dst == graph.nodes[i].dst);
    CHECK(training.nodes[i].options == graph.nodes[i].options);
  }
  int backward = 0;
  for (std::size_t i = graph.nodes.size(); i < training.nodes.size(); ++i) {
    const Node& node = training.nodes[i];
    if (node.op == &input_op) continue;
    ++backward;
    REQUIRE(node.forward >= 0);
    const Node& forward = training.nodes[static_cast<std::size_t>(node.forward)];
    CHECK(node.scope == forward.scope);
    CHECK(node.options == forward.options);
    CHECK(std::string(node.op->name).rfind(std::string(forward.op->name) + "_backward", 0) == 0);
  }
  CHECK(backward == 3);
  CHECK(training.scope == 0);
}

}  // namespace differentiate_test
