// What modules are made of: shapes, parameters, names.
#include <posemachine/compose.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

using namespace posemachine;

namespace {

template <int Channels, class L>
struct On : Network<Input<"image", Channels>, L, Output<"out">> {};

template <class Net>
int out_channels() {
  const Graph graph = graph_of<Net>();
  return channels(graph, answer(graph));
}

int count_ops(const Graph& graph, const OpInfo& op) {
  int count = 0;
  for (const Node& node : graph.nodes) count += node.op == &op ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("Fire: squeeze and two expansions, SqueezeNet's fire2 has 11,920 parameters") {
  using Fire2 = On<96, Fire<FireOptions{.squeeze = 16, .expand = 64}>>;
  static_assert(parameter_count<Fire2> == 96 * 16 + 16 + 16 * 64 + 64 + 9 * 16 * 64 + 64);
  static_assert(parameter_count<Fire2> == 11'920);
  CHECK(out_channels<Fire2>() == 128);
  CHECK(receptive_field<Fire2> == 3);
}

TEST_CASE("FireModule: two fires, the first concatenated around the second") {
  using Module = On<10, FireModule<FireOptions{.squeeze = 3, .expand = 5}>>;
  CHECK(out_channels<Module>() == 20);
  static_assert(parameter_count<Module> ==
                (10 * 3 + 3 + 3 * 5 + 5 + 27 * 5 + 5) + (10 * 3 + 3 + 3 * 5 + 5 + 27 * 5 + 5));
  const Graph graph = graph_of<Module>();
  CHECK(parameter_name(graph, 0) == "FireModule_1.Fire_1.Conv_1.weights");
  CHECK(parameter_name(graph, 11) == "FireModule_1.Fire_2.Conv_3.bias");
  CHECK(count_ops(graph, concat_op) == 3);
}

TEST_CASE("FireModule: batch norm stands before every ReLU and takes the place of the biases") {
  using Module = On<16, FireModule<FireOptions{.squeeze = 8, .expand = 8, .norm = Norm::batch}>>;
  const Graph graph = graph_of<Module>();
  CHECK(count_ops(graph, batch_norm_op) == 6);
  CHECK(count_ops(graph, relu_op) == 6);
  for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
    CHECK(parameter_name(graph, static_cast<int>(id)).find("bias") == std::string::npos);
  }
}

TEST_CASE("DilationModule: src and one branch a rate, 32 channels each unless a Width is given") {
  CHECK(out_channels<On<7, DilationModule<1, 2, 3, 4>>>() == 7 + 4 * 32);
  CHECK(out_channels<On<7, DilationModule<1, 3, Width{48}>>>() == 7 + 2 * 48);
  CHECK(out_channels<On<7, DilationModule<Width{5}, 2>>>() == 7 + 5);
  CHECK(receptive_field<On<7, DilationModule<1, 2, 3, 4>>> == 9);
  // A rate adds no parameters.
  CHECK(parameter_count<On<7, DilationModule<4>>> == parameter_count<On<7, DilationModule<1>>>);
}

TEST_CASE("SEGate: keeps the shape, squeezes to C / reduction, and adds nothing to the receptive field") {
  using Gate = On<12, SEGate<3>>;
  CHECK(out_channels<Gate>() == 12);
  static_assert(parameter_count<Gate> == 12 * 4 + 4 + 4 * 12 + 12);
  static_assert(receptive_field<Gate> == 1 && stride<Gate> == 1);
}

TEST_CASE("PyramidStack: doubles the channels, halves the size") {
  using Stack = On<5, PyramidStack<>>;
  CHECK(out_channels<Stack>() == 10);
  static_assert(stride<Stack> == 2 && parameter_count<Stack> == 9 * 5 * 5 + 5);
  const Graph graph = graph_of<Stack>();
  const auto sizes = infer_sizes(graph, {6, 10});
  CHECK(sizes[static_cast<std::size_t>(answer(graph).id)] == Size{3, 5});
  CHECK_THROWS_AS(static_cast<void>(infer_sizes(graph, {7, 10})), ModelError);
}
