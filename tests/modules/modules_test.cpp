// What modules are made of: shapes, parameters, names.
#include <posemachine/compose.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

namespace modules_test {

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

TEST_CASE("Residual: a body beside src, or beside a shortcut of its own") {
  using Plain = On<6, Residual<Conv<6, 3>>>;
  static_assert(parameter_count<Plain> == 6 * 6 * 9 + 6);
  using Projected = On<6, Residual<Conv<8, 3>, Conv<8, 1>>>;
  CHECK(out_channels<Projected>() == 8);
  CHECK(parameter_name(graph_of<Plain>(), 0) == "Residual_1.Conv_1.weights");
  CHECK_THROWS_AS(static_cast<void>(graph_of<On<6, Residual<Conv<8, 3>>>>()), ModelError);
}

TEST_CASE(
    "ResidualBlock, Bottleneck: the projection is there only where shapes differ; ResNet-50's blocks have its counts") {
  using Same = On<64, ResidualBlock<64, ResidualOptions{.norm = Norm::none}>>;
  static_assert(parameter_count<Same> == 2 * (64 * 64 * 9 + 64));
  using Halved = On<64, ResidualBlock<128, ResidualOptions{.stride = 2, .norm = Norm::none}>>;
  static_assert(stride<Halved> == 2);
  static_assert(parameter_count<Halved> == 64 * 128 * 9 + 128 + 128 * 128 * 9 + 128 + 64 * 128 + 128);
  // conv2_1 and conv2_2 of ResNet-50, with batch norm: 75,008 and 70,400 parameters.
  static_assert(parameter_count<On<64, Bottleneck<256>>> == 75'008);
  static_assert(parameter_count<On<256, Bottleneck<256>>> == 70'400);
  CHECK(count_ops(graph_of<On<256, Bottleneck<256>>>(), add_op) == 1);
}

TEST_CASE("SeparableConv, InvertedResidual: MobileNet's and MobileNetV2's first blocks have their counts") {
  // MobileNet's first block, 32 -> 64: 32 * 9 + 64 and 32 * 64 + 128 with batch norm.
  static_assert(parameter_count<On<32, SeparableConv<64>>> == 32 * 9 + 64 + 32 * 64 + 128);
  // MobileNetV2's second stage, 16 -> 24 with expansion 6: 5,136 parameters.
  using Strided = On<16, InvertedResidual<24, SeparableOptions{.stride = 2}>>;
  static_assert(parameter_count<Strided> == 5'136 && stride<Strided> == 2);
  CHECK(count_ops(graph_of<Strided>(), add_op) == 0);
  CHECK(count_ops(graph_of<On<24, InvertedResidual<24>>>(), add_op) == 1);
  CHECK(count_ops(graph_of<On<24, InvertedResidual<24, SeparableOptions{.expansion = 1}>>>(), convolution_op) == 2);
}

TEST_CASE("Hourglass: keeps the size, halves it Depth times inside, and adds up at every level") {
  using Module = On<8, Hourglass<3, Conv<8, 3>>>;
  const Graph graph = graph_of<Module>();
  static_assert(stride<Module> == 1);
  CHECK(count_ops(graph, max_pool_op) == 3);
  CHECK(count_ops(graph, resize_nearest_op) == 3);
  CHECK(count_ops(graph, add_op) == 3);
  static_assert(parameter_count<Module> == (3 * 3 + 1) * (8 * 8 * 9 + 8));
  CHECK(largest_stride(graph) == 8);
  CHECK(parameter_name(graph, 4) == "Hourglass_1.Hourglass_1.Conv_1.weights");
}

}  // namespace modules_test
