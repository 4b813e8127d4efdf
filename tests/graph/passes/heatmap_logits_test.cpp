// Outputs behind a spatial softmax, and the network that a cross-entropy is computed from.
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/graph/passes/heatmap_logits.hpp>
#include <posemachine/networks/registry.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <string>

namespace heatmap_logits_test {

using namespace posemachine;

namespace {

int count_softmaxes(const Graph& graph) {
  int count = 0;
  for (const Node& node : graph.nodes) count += node.op == &spatial_softmax_op ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("add_distributions: every output of every named network becomes a distribution, once, under its name") {
  for (const NamedNetwork& network : networks) {
    CAPTURE(network.name);
    const Graph heatmaps = network.build();
    Graph graph = heatmaps;
    add_distributions(graph, 8);
    CHECK(has_distributions(graph));
    CHECK(count_softmaxes(graph) == static_cast<int>(graph.outputs.size()));
    for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
      CHECK(output_name(graph, i) == output_name(heatmaps, i));
      // In parentheses: Clang 19 at -O1 spoils doctest's flags where a Stride, 9 bytes of 12, stands before them.
      CHECK((stride_of(graph, {graph.outputs[i].value}) == stride_of(heatmaps, {heatmaps.outputs[i].value})));
    }
    const std::size_t nodes = graph.nodes.size();
    add_distributions(graph, 8);
    CHECK(graph.nodes.size() == nodes);
  }
}

TEST_CASE(
    "with_logits: the outputs are what the softmaxes are made of, all parameters stay, readers of a softmax too") {
  for (const NamedNetwork& network : networks) {
    Graph graph = network.build();
    const std::size_t parameters = graph.parameters.size();
    const std::size_t nodes = graph.nodes.size() - static_cast<std::size_t>(count_softmaxes(graph));
    add_distributions(graph, 8);
    const Graph logits = with_logits(graph);
    CHECK(count_softmaxes(logits) == 0);
    CHECK(logits.nodes.size() == nodes);
    CHECK(logits.parameters.size() == parameters);
  }
  Graph graph;  // the second stage reads the distribution of the first
  const Value first = convolution(graph, add_input(graph, "image", 3), {.out = 4});
  const Value shares = spatial_softmax(graph, first);
  add_output(graph, "maps", shares);
  add_output(graph, "maps", spatial_softmax(graph, convolution(graph, shares, {.out = 4})));
  const Graph logits = with_logits(graph);
  CHECK(count_softmaxes(logits) == 1);
  CHECK(logits.outputs[0].value == first.id);
  CHECK(logits.parameters.size() == 4);
}

TEST_CASE("peak_of_one: a distribution that equals a Gaussian has a peak of 1, to its sampling") {
  for (const double sigma : {1.0, 1.75, 3.5}) {
    double sum = 0;
    for (int y = -40; y <= 40; ++y) {
      for (int x = -40; x <= 40; ++x) sum += std::exp(-(x * x + y * y) / (2 * sigma * sigma));
    }
    CHECK(scale(peak_of_one(sigma)) / sum == doctest::Approx(1).epsilon(0.005));
  }
  CHECK(peak_of_one(0.001).scale_percent == 1);
}

}  // namespace heatmap_logits_test
