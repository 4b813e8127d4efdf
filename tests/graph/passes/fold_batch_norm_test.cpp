// Folded and dropped graphs compute what the whole ones do.
#include <posemachine/core/random.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/difference.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/graph/passes/drop_dead.hpp>
#include <posemachine/graph/passes/fold_batch_norm.hpp>
#include <posemachine/graph/passes/for_inference.hpp>
#include <posemachine/model/graph_json.hpp>
#include <posemachine/networks/scaling_dilation.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fold_batch_norm_test {

using namespace posemachine;
using namespace posemachine::engine;

namespace {

// Values as a trained network has them: weights of He's size, variances about 1, means and shifts away from 0.
std::vector<Tensor> random_parameters(const Graph& graph) {
  std::vector<Tensor> all;
  for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
    const Parameter& parameter = graph.parameters[id];
    Tensor tensor(Shape(parameter.extents.begin(), parameter.extents.begin() + parameter.rank));
    const std::string_view name = name_text(graph, parameter.name);
    RandomStream stream(7, Purpose::test, 0, id);
    for (float& value : tensor.values) {
      const double drawn = stream.normal();
      if (name == "weights") value = static_cast<float>(drawn * std::sqrt(2.0 / parameter.fan_in));
      if (name == "bias" || name == "shift" || name == "mean") value = static_cast<float>(0.3 * drawn);
      if (name == "scale") value = static_cast<float>(1 + 0.2 * drawn);
      if (name == "variance") value = static_cast<float>(0.5 + drawn * drawn);
    }
    all.push_back(std::move(tensor));
  }
  return all;
}

std::vector<std::vector<float>> outputs_of(const Graph& graph, const std::vector<Tensor>& parameters, Size image) {
  const auto weights = std::make_shared<PreparedWeights>(std::make_shared<const std::vector<Tensor>>(parameters));
  ProgramOptions options;
  options.image = image;
  Execution execution(graph, weights, options);
  for (const Port& port : graph.inputs) {
    RandomStream stream(3, Purpose::test);
    for (float& value : execution.input(Value{port.value})) value = static_cast<float>(stream.uniform(-0.5, 0.5));
  }
  execution.run();
  std::vector<std::vector<float>> all;
  for (std::size_t i = 0; i < execution.output_count(); ++i)
    all.emplace_back(execution.output(i).begin(), execution.output(i).end());
  return all;
}

void check_equal(const std::vector<std::vector<float>>& got, const std::vector<std::vector<float>>& expected) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    REQUIRE(got[i].size() == expected[i].size());
    float largest = 0, difference = 0;
    for (std::size_t k = 0; k < got[i].size(); ++k) {
      largest = std::max(largest, std::abs(expected[i][k]));
      difference = std::max(difference, std::abs(got[i][k] - expected[i][k]));
    }
    CHECK(largest > 0.01f);
    // A folded weight is rounded once more; a few tens of layers of random rounding stay below 100 epsilon.
    CHECK(difference <= 1e-5f * largest);
  }
}

int count_nodes(const Graph& graph, const OpInfo& op) {
  return static_cast<int>(
      std::count_if(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) { return node.op == &op; }));
}

}  // namespace

TEST_CASE("fold_batch_norm: the small network computes the same without a single batch norm") {
  const Graph whole = graph_of<ScalingDilationSmall>();
  const std::vector<Tensor> parameters = random_parameters(whole);
  REQUIRE(count_nodes(whole, batch_norm_op) > 20);
  Graph folded = whole;
  std::vector<Tensor> folded_parameters = parameters;
  fold_batch_norm(folded, folded_parameters);
  CHECK(count_nodes(folded, batch_norm_op) == 0);
  CHECK(folded.nodes.size() + static_cast<std::size_t>(count_nodes(whole, batch_norm_op)) == whole.nodes.size());
  REQUIRE(folded.parameters.size() == folded_parameters.size());
  for (std::size_t i = 0; i < folded.parameters.size(); ++i) {
    CHECK(static_cast<std::size_t>(folded.parameters[i].size()) == folded_parameters[i].values.size());
  }
  check_equal(outputs_of(folded, folded_parameters, {40, 56}), outputs_of(whole, parameters, {40, 56}));
}

TEST_CASE("fold_batch_norm: a convolution with a bias keeps its parameters' names and gets the shift") {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  add_output(graph, "maps", batch_norm(graph, convolution(graph, image, {.out = 5, .kernel = 3})));
  const std::vector<Tensor> parameters = random_parameters(graph);
  Graph folded = graph;
  std::vector<Tensor> folded_parameters = parameters;
  fold_batch_norm(folded, folded_parameters);
  REQUIRE(folded.parameters.size() == 2);
  CHECK(parameter_name(folded, 0) == "Conv_1.weights");
  CHECK(parameter_name(folded, 1) == "Conv_1.bias");
  check_equal(outputs_of(folded, folded_parameters, {7, 11}), outputs_of(graph, parameters, {7, 11}));
}

TEST_CASE("fold_batch_norm: what others read, what is an output and what is no convolution stays as it is") {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  const Value read_twice = convolution(graph, image, {.out = 4});
  const Value sum = add(graph, std::vector<Value>{batch_norm(graph, read_twice), relu(graph, read_twice)});
  const Value shown = convolution(graph, sum, {.out = 6, .kernel = 3, .bias = 0});
  add_output(graph, "raw", shown);
  add_output(graph, "maps", batch_norm(graph, batch_norm(graph, shown)));
  const std::vector<Tensor> parameters = random_parameters(graph);
  Graph folded = graph;
  std::vector<Tensor> folded_parameters = parameters;
  fold_batch_norm(folded, folded_parameters);
  CHECK(count_nodes(folded, batch_norm_op) == 3);
  check_equal(outputs_of(folded, folded_parameters, {5, 5}), outputs_of(graph, parameters, {5, 5}));
}

TEST_CASE("fold_batch_norm: convolutions that share their weights keep their batch norms") {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  const Value first = convolution(graph, image, {.out = 4, .bias = 0});
  const Value twin = add_node(graph, convolution_op, graph.nodes.back().options, {image}, {0});
  add_output(graph, "maps", add(graph, std::vector<Value>{batch_norm(graph, first), batch_norm(graph, twin)}));
  const std::vector<Tensor> parameters = random_parameters(graph);
  Graph folded = graph;
  std::vector<Tensor> folded_parameters = parameters;
  fold_batch_norm(folded, folded_parameters);
  CHECK(count_nodes(folded, batch_norm_op) == 2);
  check_equal(outputs_of(folded, folded_parameters, {5, 5}), outputs_of(graph, parameters, {5, 5}));
}

TEST_CASE("fold_batch_norm: without values the graph becomes the same, and no value appears") {
  const Graph network = graph_of<ScalingDilationSmall>();
  Graph folded = network;
  std::vector<Tensor> values = random_parameters(network);
  prepare_for_inference(folded, values);
  Graph bare = network;
  std::vector<Tensor> none;
  prepare_for_inference(bare, none);
  CHECK(first_difference(bare, folded) == "");
  CHECK(bare.parameters.size() == values.size());
  CHECK(none.empty());
}

TEST_CASE("drop_dead: a branch nobody reads goes with its parameters, inputs and names stay") {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  add_input(graph, "centre", 1);
  relu(graph, convolution(graph, image, {.out = 8, .kernel = 3}));
  add_output(graph, "maps", convolution(graph, image, {.out = 2}));
  const std::vector<Tensor> parameters = random_parameters(graph);
  Graph kept = graph;
  std::vector<Tensor> kept_parameters = parameters;
  drop_dead(kept, kept_parameters);
  CHECK(kept.nodes.size() == 3);
  REQUIRE(kept.inputs.size() == 2);
  REQUIRE(kept.parameters.size() == 2);
  CHECK(parameter_name(kept, 0) == "Conv_2.weights");
  CHECK(kept_parameters[0].values == parameters[2].values);
  check_equal(outputs_of(kept, kept_parameters, {3, 4}), outputs_of(graph, parameters, {3, 4}));
}

TEST_CASE("drop_dead: a graph without anything dead stays the same, gradients included") {
  const Graph graph = differentiate(graph_of<ScalingDilationSmall>());
  Graph kept = graph;
  std::vector<Tensor> none;
  drop_dead(kept, none);
  REQUIRE(kept.nodes.size() == graph.nodes.size());
  CHECK(kept.parameters.size() == graph.parameters.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    CHECK(kept.nodes[i].op == graph.nodes[i].op);
    CHECK(kept.nodes[i].dst == graph.nodes[i].dst);
    CHECK(kept.nodes[i].forward == graph.nodes[i].forward);
  }
}

TEST_CASE("prepare_for_inference: dropouts go, so that the batch norm behind one is folded, and the outputs stay") {
  Graph graph;
  Value value = add_input(graph, "image", 3);
  value = dropout(graph, value, {.percent = 10});  // of an input
  value = convolution(graph, value, {.out = 6, .kernel = 3});
  value = dropout(graph, dropout(graph, value, {.percent = 30}), {.percent = 50});  // one after the other
  value = relu(graph, batch_norm(graph, value));
  const Value maps = convolution(graph, dropout(graph, value, {.percent = 20}), {.out = 4});
  add_output(graph, "maps", maps);
  add_output(graph, "maps", dropout(graph, maps, {.percent = 20}));  // an output itself: it stays
  const std::vector<Tensor> parameters = random_parameters(graph);
  Graph prepared = graph;
  std::vector<Tensor> prepared_parameters = parameters;
  prepare_for_inference(prepared, prepared_parameters);
  CHECK(count_nodes(graph, dropout_op) == 5);
  CHECK(count_nodes(prepared, dropout_op) == 1);
  CHECK(count_nodes(prepared, batch_norm_op) == 0);
  CHECK(prepared.nodes.size() == 5);
  check_equal(outputs_of(prepared, prepared_parameters, {9, 7}), outputs_of(graph, parameters, {9, 7}));
}

}  // namespace fold_batch_norm_test
