// Recomputation: other nodes, the same bytes, less memory.
#include "engine/custom_ops.hpp"
#include "engine/run_graph.hpp"
#include "reference/random_graph.hpp"

#include <posemachine/core/random.hpp>
#include <posemachine/engine/batch_gradients.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/graph/passes/recompute.hpp>
#include <posemachine/layers/network.hpp>
#include <posemachine/model/initialise.hpp>
#include <posemachine/networks/scaling_dilation.hpp>
#include <posemachine/networks/stacked_hourglass.hpp>
#include <posemachine/schedule/recomputation.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace recomputation_test {

using namespace posemachine;
using namespace posemachine::schedule;
using namespace posemachine::engine;
using engine_test::run_graph;

namespace {

ProgramOptions training(int batch, Size image) {
  ProgramOptions options;
  options.batch = batch;
  options.image = image;
  options.mode = Mode::training;
  return options;
}

int count(const Graph& graph, const OpInfo& op) {
  return static_cast<int>(
      std::count_if(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) { return node.op == &op; }));
}

int repeats(const Graph& graph) {
  return static_cast<int>(
      std::count_if(graph.nodes.begin(), graph.nodes.end(), [](const Node& node) { return node.repeats >= 0; }));
}

constexpr StackedHourglassOptions small_hourglass{.stacks = 2, .width = 32};

// input -> convolution -> relu -> pool -> convolution -> relu -> convolution -> output
Graph chain() {
  Graph graph;
  Value value = relu(graph, convolution(graph, add_input(graph, "image", 3), {.out = 8, .kernel = 3}));
  value = max_pool(graph, value, {.window = 2});
  value = relu(graph, convolution(graph, value, {.out = 8, .kernel = 3}));
  add_output(graph, "maps", convolution(graph, value, {.out = 2}));
  return graph;
}

// The bytes of a step: gradients and parameters, batch norm's statistics among them.
std::vector<float> step(const Graph& network, Size image, bool recompute, std::size_t& bytes) {
  auto parameters = std::make_shared<std::vector<Tensor>>(initialise(network, 4));
  BatchGradients gradients(network, parameters,
                           {.batch = 4, .slice = 2, .workers = 2, .image = image, .recompute = recompute});
  bytes = gradients.executions().front()->arena_bytes();
  RandomStream stream(4, Purpose::test);
  std::vector<float> images(std::size_t{4} * 3 * std::size_t(image.height) * std::size_t(image.width));
  for (float& value : images) value = static_cast<float>(stream.uniform(-1, 1));
  gradients.compute(
      "image", images,
      [](const SliceView& view) {
        for (std::size_t k = 0; k < view.outputs.size(); ++k) {
          for (std::size_t i = 0; i < view.outputs[k].size(); ++i) {
            view.output_gradients[k][i] = view.outputs[k][i] - 0.5f;
          }
        }
      },
      4, 7);
  std::vector<float> all;
  for (const Tensor& tensor : gradients.gradients()) all.insert(all.end(), tensor.values.begin(), tensor.values.end());
  for (const Tensor& tensor : *parameters) all.insert(all.end(), tensor.values.begin(), tensor.values.end());
  return all;
}

// Every kind of node that draws, counts or keeps something of its own, repeated in blocks.
Graph deep_network(int blocks) {
  Graph graph;
  Value value = relu(graph, convolution(graph, add_input(graph, "image", 3), {.out = 16, .kernel = 3}));
  for (int block = 0; block < blocks; ++block) {
    const Value inner = relu(graph, batch_norm(graph, convolution(graph, value, {.out = 16, .kernel = 3})));
    value = concat(graph, {dropout(graph, inner, {.percent = 25}), convolution(graph, value, {.out = 8})});
    value = max_pool(graph, value, {.window = 3, .stride = 1, .padding = 1});
    value = prelu(graph, convolution(graph, value, {.out = 16}));
    if (block == blocks / 2) add_output(graph, "maps", convolution(graph, value, {.out = 5}));
  }
  add_output(graph, "maps", convolution(graph, value, {.out = 5}));
  return graph;
}

}  // namespace

TEST_CASE("recompute: of a segment, what its backward nodes read and no other segment does is computed a second time") {
  const Graph plain = differentiate(chain());
  const int forward = forward_node_count(plain);
  REQUIRE(forward == 7);
  REQUIRE(forward_node_count(chain()) == 7);
  Graph graph = plain;
  recompute(graph, std::vector<int>{4});  // after the pooling
  CHECK(repeats(graph) == 2);             // convolution and ReLU: the pooled map is read by the next segment
  CHECK(count(graph, convolution_op) == count(plain, convolution_op) + 1);
  CHECK(count(graph, relu_op) == count(plain, relu_op) + 1);
  CHECK(count(graph, max_pool_op) == count(plain, max_pool_op));
  CHECK(graph.nodes.size() == plain.nodes.size() + 2);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (node.dst >= 0) CHECK(graph.values[static_cast<std::size_t>(node.dst)].producer == static_cast<int>(i));
    for (int k = 0; k < node.inputs.count; ++k) {
      CHECK(graph.values[static_cast<std::size_t>(input(graph, node, k).id)].producer < static_cast<int>(i));
    }
    CHECK(node.forward < static_cast<int>(i));
  }
  // The ReLU's backward node reads the second result and names its node.
  const auto backward = std::find_if(graph.nodes.rbegin(), graph.nodes.rend(),
                                     [](const Node& node) { return node.op == &relu_backward_op; });
  REQUIRE(backward != graph.nodes.rend());
  CHECK(graph.nodes[static_cast<std::size_t>(backward->forward)].repeats == 2);
  CHECK(input(graph, *backward, 0).id == graph.nodes[static_cast<std::size_t>(backward->forward)].dst);
}

TEST_CASE("recompute: without ends, and with all in the last segment, nothing changes") {
  const Graph plain = differentiate(chain());
  for (const std::vector<int>& ends : {std::vector<int>{}, std::vector<int>{0}, std::vector<int>{0, 0}}) {
    Graph graph = plain;
    recompute(graph, ends);
    CHECK(repeats(graph) == 0);
    CHECK(graph.nodes.size() == plain.nodes.size());
    CHECK(graph.operands == plain.operands);
  }
}

TEST_CASE("recompute: random networks cut anywhere compute the same bytes") {
  int repeated = 0;
  for (std::uint64_t seed = 1; seed <= 120; ++seed) {
    CAPTURE(seed);
    const auto random = reference::random_graph(seed, {.steps = seed % 3 == 0 ? 6 : 14, .residuals = seed % 2 == 0});
    const Graph plain = differentiate(random.graph);
    const auto filling = reference::fill(plain, random.batch, random.image, seed);
    const ProgramOptions options = training(random.batch, random.image);
    const auto expected = run_graph(plain, filling, options, {9, 3, 5});
    RandomStream stream(seed, Purpose::test, 8);
    const auto nodes = static_cast<std::uint64_t>(forward_node_count(plain));
    for (int cut = 0; cut < 3; ++cut) {
      std::vector<int> ends(static_cast<std::size_t>(cut) + 1);
      for (int& end : ends) end = static_cast<int>(stream.below(nodes + 1));
      std::sort(ends.begin(), ends.end());
      Graph graph = plain;
      recompute(graph, ends);
      repeated += repeats(graph);
      const auto got = run_graph(graph, filling, options, {9, 3, 5});
      CHECK(got.outputs == expected.outputs);
      CHECK(got.gradients == expected.gradients);
    }
  }
  CHECK(repeated > 500);
}

TEST_CASE("recompute: a sum of three is added up in the same order both times, so that a ReLU's mask is the same") {
  Graph network;
  const Value image = add_input(network, "image", 3);
  std::vector<Value> terms;
  for (int k = 0; k < 3; ++k) terms.push_back(convolution(network, image, {.out = 16}));
  const Value sum = add(network, terms);
  const Value value = convolution(network, relu(network, sum), {.out = 16, .kernel = 3});
  // Of the three, the next segment reads the first two: in the forward pass only the last may be written over.
  add_output(network, "maps",
             convolution(network,
                         concat(network, {convolution(network, terms[0], {.out = 8}),
                                          convolution(network, terms[1], {.out = 8}), relu(network, value)}),
                         {.out = 4}));
  const Graph plain = differentiate(network);
  auto filling = reference::fill(plain, 1, {24, 24}, 3);
  for (std::size_t k = 0; k < 3; ++k) {  // term k: channel k of the image
    for (std::size_t i = 0; i < filling.parameters[2 * k].size(); ++i) filling.parameters[2 * k][i] = i % 3 == k;
    for (double& bias : filling.parameters[2 * k + 1]) bias = 0;
  }
  std::vector<double>& pixels = filling.inputs.at("image").values;
  const std::size_t plane = pixels.size() / 3;
  for (std::size_t i = 0; i < plane; ++i) {  // (1 + 2^-24) - 1 = 0, (1 - 1) + 2^-24 > 0
    pixels[i] = 1;
    pixels[plane + i] = std::ldexp(1.0, -24);
    pixels[2 * plane + i] = -1;
  }
  const ProgramOptions options = training(1, {24, 24});
  const auto expected = run_graph(plain, filling, options);
  for (int end = 1; end < forward_node_count(plain); ++end) {
    CAPTURE(end);
    Graph graph = plain;
    recompute(graph, std::vector<int>{end});
    CHECK(run_graph(graph, filling, options).gradients == expected.gradients);
  }
}

TEST_CASE("recompute: a convolution adds to a summand both times or never") {
  Graph network;
  const Value image = add_input(network, "image", 3);
  const Value kept = convolution(network, image, {.out = 32});
  const Value learnt = convolution(network, relu(network, convolution(network, image, {.out = 32})), {.out = 32});
  const Value sum = relu(network, add(network, std::array{learnt, kept}));
  const Value value = convolution(network, sum, {.out = 16});
  const int end = static_cast<int>(network.nodes.size());
  add_output(network, "maps",
             convolution(network, concat(network, {value, convolution(network, kept, {.out = 16})}), {.out = 4}));
  const Graph plain = differentiate(network);
  Graph graph = plain;
  recompute(graph, std::vector<int>{end});
  REQUIRE(repeats(graph) > 0);
  const auto filling = reference::fill(plain, 1, {9, 9}, 3);
  const ProgramOptions options = training(1, {9, 9});
  CHECK(run_graph(graph, filling, options).gradients == run_graph(plain, filling, options).gradients);
}

TEST_CASE("BatchGradients: recomputation changes no byte and takes less memory, where networks are deep") {
  std::size_t kept = 0;
  std::size_t computed_again = 0;
  const Graph deep = deep_network(12);
  CHECK(step(deep, {40, 40}, true, computed_again) == step(deep, {40, 40}, false, kept));
  CHECK(static_cast<double>(computed_again) < 0.6 * static_cast<double>(kept));
  for (const Graph& network : {graph_of<ScalingDilationSmall>(), graph_of<StackedHourglass<small_hourglass>>()}) {
    CHECK(step(network, {128, 128}, true, computed_again) == step(network, {128, 128}, false, kept));
    CHECK(static_cast<double>(computed_again) < 0.9 * static_cast<double>(kept));
    MESSAGE("arena " << kept << " bytes, with recomputation " << computed_again);
  }
}

TEST_CASE("recompute_for_memory: a network that keeps nothing gets no second computation") {
  Graph graph;
  add_output(graph, "maps", convolution(graph, add_input(graph, "image", 3), {.out = 2}));
  const Graph chosen = recompute_for_memory(differentiate(graph), 1, {16, 16}, {});
  CHECK(repeats(chosen) == 0);
}

}  // namespace recomputation_test
