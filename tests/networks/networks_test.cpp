// The networks that have a name.
#include "layers/design_example.hpp"

#include <posemachine/compose.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace networks_test {

using namespace posemachine;

static_assert(parameter_count<ScalingDilation<>> == parameter_count<design_example::ScalingDilation>);
// An evaluation each: Clang bounds its steps.
constexpr auto base_multiply_adds = multiply_adds<ScalingDilation<>>(368, 368);
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

TEST_CASE("networks: all have 15 maps at stride 8 or 4 and fit the size they are made for") {
  for (const NamedNetwork& network : networks) {
    const Graph graph = network.build();
    CHECK(channels(graph, answer(graph)) == 15);
    const Stride stride = stride_of(graph, answer(graph));
    const int pixels = network.sigma_px == 4 || network.name == "scaling-dilation-fine" ? 4 : 8;
    CHECK_MESSAGE((stride.pixels == pixels && stride.cells == 1 && !stride.global), std::string(network.name));
    const std::vector<Size> sizes = infer_sizes(graph, network.input);
    for (const Port& port : graph.outputs) {  // CPM's pools round up: 46 cells of 368 pixels, not 45
      CHECK(sizes[static_cast<std::size_t>(port.value)] ==
            Size{network.input.height / pixels, network.input.width / pixels});
    }
  }
  CHECK(find_network("scaling-dilatation") == nullptr);
}

TEST_CASE("networks: every head begins near zero, and what stands before batch norm as fan_in_uniform") {
  for (const NamedNetwork& network : networks) {
    CAPTURE(network.name);
    const Graph graph = with_logits(network.build());
    const auto producer = [&](int value) -> const Node& {
      return graph.nodes[static_cast<std::size_t>(graph.values[static_cast<std::size_t>(value)].producer)];
    };
    for (const Port& output : graph.outputs) {
      REQUIRE(producer(output.value).op == &convolution_op);
      CHECK(parameter(graph, producer(output.value), 0).init == Init::near_zero);
    }
    for (const Node& node : graph.nodes) {
      if (node.op != &batch_norm_op) continue;
      CHECK(parameter(graph, producer(input(graph, node, 0).id), 0).init == Init::fan_in_uniform);
    }
  }
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

static_assert(parameter_count<ScalingDilationFine<>> == 758'446);

TEST_CASE("networks: scaling-dilation-fine answers with distributions at stride 4, and looks at the whole input") {
  const Graph graph = find_network("scaling-dilation-fine")->build();
  CHECK(graph.outputs.size() == 2);
  CHECK(has_distributions(graph));
  CHECK(peak_of_one(find_network("scaling-dilation-fine")->sigma_px / 4).scale_percent ==
        ScalingDilationFineOptions{}.softmax.scale_percent);
  CHECK(receptive_field<ScalingDilationFine<>> > 2 * 128);
  CHECK(multiply_adds<ScalingDilationFine<>>(128, 128) < 100'000'000);
}

// To the unit those of the released network, and its receptive field with 3x3 pools.
static_assert(parameter_count<CPM<CPMOptions{.stages = 3}>> == 16'731'021);
static_assert(parameter_count<CPM<CPMOptions{.stages = 6}>> == 31'219'866);
static_assert(receptive_field<CPM<CPMOptions{.stages = 3}>> == 167 + 2 * 240);

TEST_CASE("networks: CPM has the released multiply-adds, its inputs, and stages that share the second one's trunk") {
  CHECK(multiply_adds<CPM<CPMOptions{.stages = 3}>>(368, 368) / 10'000'000 == 14'478);
  CHECK(multiply_adds<CPM<>>(368, 368) / 10'000'000 == 17'543);
  const Graph graph = find_network("cpm-6")->build();
  REQUIRE(graph.inputs.size() == 2);
  CHECK(name_text(graph, graph.inputs[1].name) == "centre");
  CHECK(graph.outputs.size() == 6);
  int kernels_of_nine = 0;
  int kernels_of_eleven = 0;
  for (const Node& node : graph.nodes) {
    if (node.op != &convolution_op) continue;
    const int kernel = unpack<ConvolutionOptions>(node.options).kernel;
    kernels_of_nine += kernel == 9 ? 1 : 0;
    kernels_of_eleven += kernel == 11 ? 1 : 0;
  }
  CHECK(kernels_of_nine == 3 + 1 + 3);
  CHECK(kernels_of_eleven == 5 * 3);
}

TEST_CASE("networks: the small ones are small") {
  CHECK(count_parameters(find_network("stacked-hourglass-small")->build()) == 338'414);
  CHECK(count_parameters(find_network("separable-residual")->build()) == 416'607);
}

}  // namespace networks_test
