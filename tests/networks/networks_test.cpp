// The networks that have a name.
#include "layers/design_example.hpp"

#include <posemachine/compose.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace posemachine;

static_assert(parameter_count<ScalingDilation<>> == parameter_count<design_example::ScalingDilation>);
constexpr auto base_multiply_adds =
    multiply_adds<ScalingDilation<>>(368, 368);  // an evaluation each: Clang bounds its steps
static_assert(base_multiply_adds == 3'949'877'376);

TEST_CASE("networks: scaling-dilation is the paper's, node by node that of the documentation") {
  const Graph ours = find_network("scaling-dilation")->build();
  const Graph example = graph_of<design_example::ScalingDilation>();
  REQUIRE(ours.nodes.size() == example.nodes.size());
  for (std::size_t i = 0; i < ours.nodes.size(); ++i) {
    const bool same_options =
        ours.nodes[i].op == &convolution_op ? true : ours.nodes[i].options == example.nodes[i].options;
    CHECK_MESSAGE((ours.nodes[i].op == example.nodes[i].op && same_options), describe(ours, static_cast<int>(i)));
  }
}

TEST_CASE("networks: all have 15 maps at stride 8 and fit the size they are made for") {
  for (const NamedNetwork& network : networks) {
    const Graph graph = network.build();
    CHECK(channels(graph, answer(graph)) == 15);
    const Stride stride = stride_of(graph, answer(graph));
    CHECK_MESSAGE((stride.pixels == 8 && stride.cells == 1 && !stride.global), std::string(network.name));
    CHECK_NOTHROW(static_cast<void>(infer_sizes(graph, network.input)));
  }
  CHECK(find_network("scaling-dilatation") == nullptr);
}

TEST_CASE("networks: the dropout option stands behind the trunk, and the paper's ratio is lost, so 0 by default") {
  constexpr ScalingDilationOptions options{.dropout = Percent{20}};
  CHECK(node_count<ScalingDilation<options>> == node_count<ScalingDilation<>> + 1);
}

TEST_CASE("networks: scaling-dilation-small is the same composition at other widths") {
  const Graph graph = find_network("scaling-dilation-small")->build();
  CHECK(graph.outputs.size() == 3);
  CHECK(parameter_name(graph, 0) == "PreStage_1.Conv_1.weights");
  CHECK(count_parameters(graph) * 4 < 8'000'000);  // bytes of the weights: the bundled model stays under 8 MB
}
