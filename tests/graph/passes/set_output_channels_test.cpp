// set_output_channels: every named network for other numbers of joints, and back.
#include <posemachine/compose.hpp>
#include <posemachine/graph/difference.hpp>
#include <posemachine/graph/passes/set_output_channels.hpp>
#include <posemachine/model/graph_json.hpp>
#include <posemachine/networks/registry.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

namespace set_output_channels_test {

using namespace posemachine;

TEST_CASE("set_output_channels: every named network gets maps for other joints, and is itself again with its own") {
  for (const NamedNetwork& network : networks) {
    CAPTURE(std::string(network.name));
    const Graph original = network.build();
    for (const int maps : {2, 8, 18}) {
      Graph graph = original;
      set_output_channels(graph, maps);
      for (const Port& port : graph.outputs) CHECK(channels(graph, {port.value}) == maps);
      // Every rule of the library holds: a reader adds the nodes one after another.
      const Graph read = graph_from_json(graph_to_json(graph), "g");
      CHECK(first_difference(read, graph) == "");
      for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
        CHECK(parameter_name(graph, static_cast<int>(id)) == parameter_name(original, static_cast<int>(id)));
      }
      CHECK(graph_to_json(graph) != graph_to_json(original));
      set_output_channels(graph, 15);
      CHECK(graph_to_json(graph) == graph_to_json(original));
    }
  }
}

TEST_CASE("set_output_channels: the types' own graphs for those channels are the same") {
  constexpr ScalingDilationFineOptions eight{.maps = 8};
  Graph graph = graph_of<ScalingDilationFine<>>();
  set_output_channels(graph, 8);
  CHECK(graph_to_json(graph) == graph_to_json(graph_of<ScalingDilationFine<eight>>()));
}

TEST_CASE(
    "set_output_channels: outputs that no convolution makes, and layers that need the old channels, are refused") {
  struct Pooled : Network<Input<"image", 3>, Conv<4, 3>, BatchNorm<>, Output<"maps">> {};
  Graph graph = graph_of<Pooled>();
  CHECK_THROWS_WITH_AS(set_output_channels(graph, 5), doctest::Contains("output maps: expected maps of a convolution"),
                       ModelError);
  struct Summed : Network<Input<"image", 3>, Conv<4, 3>, Tag<"a">, Conv<4, 1>, Output<"maps">, Add<Identity, From<"a">>,
                          Conv<4, 1>, Output<"maps">> {};
  graph = graph_of<Summed>();
  CHECK_THROWS_WITH_AS(set_output_channels(graph, 5), doctest::Contains("must have the same channels"), ModelError);
  CHECK(first_difference(graph, graph_of<Summed>()) == "");  // as it was
}

}  // namespace set_output_channels_test
