// The documentation's network: its figures, names and outputs.
#include "layers/design_example.hpp"

#include <posemachine/compose.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <set>
#include <string>

namespace design_example_test {

using namespace posemachine;
using Example = design_example::ScalingDilation;

static_assert(node_count<Example> == 345);
static_assert(multiply_adds<Example>(368, 368) == 3'949'877'376);
// 3 + 2 (1 + 2 + 4) to F_h, then per stage at stride 8: 8 fires and the widest rate, 16 (8 + 4), and the same thrice
// more.
static_assert(receptive_field<Example> == 3 + 2 * (1 + 2 + 4) + 4 * 16 * (8 + 4));

TEST_CASE("design example: parameter names are unique dotted paths that begin with the user's blocks") {
  const Graph graph = graph_of<Example>();
  std::set<std::string> names;
  for (std::size_t id = 0; id < graph.parameters.size(); ++id)
    names.insert(parameter_name(graph, static_cast<int>(id)));
  CHECK(names.size() == graph.parameters.size());
  for (const char* expected :
       {"Trunk_1.Conv_1.weights", "Trunk_1.PyramidStack_3.Conv_1.bias", "Trunk_1.SEGate_1.Conv_2.weights",
        "FirstStage_1.FireModule_4.Fire_2.Conv_3.weights", "NextStage_3.DilationModule_1.Conv_4.weights",
        "NextStage_2.SEGate_1.Conv_1.bias", "NextStage_1.Conv_2.weights"}) {
    CHECK_MESSAGE(names.contains(expected), expected);
  }
}

TEST_CASE("design example: outputs are a series whose last member has the plain name") {
  const Graph graph = graph_of<Example>();
  REQUIRE(graph.outputs.size() == 4);
  CHECK(output_name(graph, 0) == "heatmaps_stage_1");
  CHECK(output_name(graph, 2) == "heatmaps_stage_3");
  CHECK(output_name(graph, 3) == "heatmaps");
  for (const Port& port : graph.outputs) CHECK(channels(graph, {port.value}) == 15);
}

TEST_CASE("design example: compile-time and run-time graphs have the same figures") {
  const Graph graph = graph_of<Example>();
  CHECK(count_parameters(graph) == parameter_count<Example>);
  CHECK(count_multiply_adds(graph, {256, 256}) == multiply_adds<Example>(256, 256));
  CHECK(graph.broken.rule == Rule::none);
}

}  // namespace design_example_test
