// Names, rules and messages of a graph under construction.
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

namespace graph_test {

using namespace posemachine;

namespace {

std::vector<std::string> parameter_names(const Graph& graph) {
  std::vector<std::string> names;
  for (int id = 0; id < static_cast<int>(graph.parameters.size()); ++id) names.push_back(parameter_name(graph, id));
  return names;
}

// A block that owns a convolution, behind a block of the same name that owns nothing if `empty_first`.
Value block(Graph& graph, const char* name, Value src, bool empty_first = false) {
  if (empty_first) {
    const int outer = open_scope(graph, name);
    src = relu(graph, src);
    close_scope(graph, outer);
  }
  const int outer = open_scope(graph, name);
  const Value dst = convolution(graph, src, {.out = 2, .bias = 0});
  close_scope(graph, outer);
  return dst;
}

constexpr Broken broken_by_strides() {
  Graph graph;
  const Value src = add_input(graph, "image", 3);
  const Value half = max_pool(graph, src, {.window = 2});
  const Value both = concat(graph, {src, half});
  static_cast<void>(batch_norm(graph, both));
  static_cast<void>(convolution(graph, both, {.out = 0}));  // a second broken rule: the first one stays
  return graph.broken;
}

}  // namespace

TEST_CASE("names: convolutions and batch norms side by side count from 1, each kind for itself") {
  Graph graph;
  Value value = add_input(graph, "image", 3);
  value = convolution(graph, value, {.out = 4});
  value = batch_norm(graph, value);
  value = convolution(graph, value, {.out = 5, .bias = 0});
  CHECK(parameter_names(graph) == std::vector<std::string>{"Conv_1.weights", "Conv_1.bias", "BatchNorm_1.scale",
                                                           "BatchNorm_1.shift", "BatchNorm_1.mean",
                                                           "BatchNorm_1.variance", "Conv_2.weights"});
}

TEST_CASE("names: layers and blocks without parameters rename nothing") {
  const auto build = [](bool with_empty_ones) {
    Graph graph;
    Value value = add_input(graph, "image", 3);
    const int outer = open_scope(graph, "Trunk");
    value = block(graph, "Stage", value);
    if (with_empty_ones) value = dropout(graph, relu(graph, value), {.percent = 10});
    value = block(graph, "Stage", value, with_empty_ones);
    value = convolution(graph, value, {.out = 2, .bias = 0});
    close_scope(graph, outer);
    return parameter_names(block(graph, "Trunk", value, with_empty_ones).id >= 0 ? graph : Graph{});
  };
  const std::vector<std::string> expected{"Trunk_1.Stage_1.Conv_1.weights", "Trunk_1.Stage_2.Conv_1.weights",
                                          "Trunk_1.Conv_1.weights", "Trunk_2.Conv_1.weights"};
  CHECK(build(false) == expected);
  CHECK(build(true) == expected);
}

TEST_CASE("names: equal blocks in different blocks count apart, and an ordinal of -1 leaves a name as it stands") {
  Graph graph;
  Value value = add_input(graph, "image", 3);
  for (int i = 0; i < 2; ++i) {
    const int outer = open_scope(graph, i == 0 ? "Left" : "Right");
    value = block(graph, "Stage", value);
    close_scope(graph, outer);
  }
  CHECK(parameter_names(graph) ==
        std::vector<std::string>{"Left_1.Stage_1.Conv_1.weights", "Right_1.Stage_1.Conv_1.weights"});
  for (Scope& scope : graph.scopes) scope.ordinal = -1;
  CHECK(parameter_name(graph, 0) == "Left.Stage.Conv.weights");
}

TEST_CASE("names: a node is described by its index, operation and block") {
  Graph graph;
  const Value src = add_input(graph, "image", 3);
  block(graph, "Trunk", src, true);
  CHECK(describe(graph, 0) == "node 0 (input)");
  CHECK(describe(graph, 1) == "node 1 (relu in Trunk)");
  CHECK(describe(graph, 2) == "node 2 (convolution in Trunk_1.Conv_1)");
  CHECK(describe(graph, 3) == "node 3");
}

TEST_CASE("names: outputs of one name form a series whose last member has the plain name") {
  Graph graph;
  const Value src = add_input(graph, "image", 3);
  add_output(graph, "maps", src);
  add_output(graph, "side", src);
  add_output(graph, "maps", relu(graph, src));
  CHECK(output_name(graph, 0) == "maps_stage_1");
  CHECK(output_name(graph, 1) == "side");
  CHECK(output_name(graph, 2) == "maps");
  CHECK(graph.outputs[2].series == 2);
}

TEST_CASE("intern: equal texts share an index, and earlier names stay readable") {
  Graph graph;
  const int weights = intern(graph, "weights");
  const int bias = intern(graph, "bias");
  CHECK(intern(graph, "weights") == weights);
  CHECK(intern(graph, name_text(graph, bias)) == bias);
  CHECK(name_text(graph, weights) == "weights");
}

TEST_CASE("rules: each broken one is thrown with its node, sentence and figures") {
  Graph graph;
  const Value src = add_input(graph, "image", 3);          // node 0
  const Value half = max_pool(graph, src, {.window = 2});  // node 1
  const Value mean = global_average_pool(graph, src);      // node 2
  const Value five = convolution(graph, src, {.out = 5});  // node 3
  CHECK_THROWS_WITH_AS(concat(graph, {src, half}),
                       "node 4: branches that meet must have the same stride (stride of the first branch 1, "
                       "stride of this branch 2)",
                       ModelError);
  CHECK_THROWS_WITH_AS(add(graph, std::array{src, five}),
                       "node 4: values that are added must have the same channels (channels of the first 3, "
                       "channels of this one 5)",
                       ModelError);
  CHECK_THROWS_WITH_AS(concat(graph, {}),
                       "node 4: an operation has too few or too many inputs (inputs given 0, inputs expected 1)",
                       ModelError);
  CHECK_THROWS_WITH_AS(channel_scale(graph, src, half),
                       "node 4: a gate must be a global value with its map's channels (channels of the map 3, "
                       "channels of the gate 3)",
                       ModelError);
  CHECK_THROWS_WITH_AS(channel_scale(graph, five, mean),
                       "node 4: a gate must be a global value with its map's channels (channels of the map 5, "
                       "channels of the gate 3)",
                       ModelError);
  CHECK_THROWS_WITH_AS(global_average_pool(graph, mean),
                       "node 4: this operation needs a map, not a global value (input 0, channels 3)", ModelError);
  CHECK_THROWS_WITH_AS(max_pool(graph, mean, {.window = 2}),
                       "node 4: a global value has one cell: only 1x1 windows with stride 1 and no padding fit "
                       "(kernel 2, stride 2)",
                       ModelError);
  CHECK_THROWS_WITH_AS(max_pool(graph, src, {.window = 2, .padding = 2}),
                       "node 4: an option is outside its range (option's position 2, its value 2)", ModelError);
  CHECK_THROWS_WITH_AS(dropout(graph, src, {.percent = 100}),
                       "node 4: an option is outside its range (option's position 0, its value 100)", ModelError);
  CHECK(graph.nodes.size() == 4);
}

TEST_CASE("rules: messages name the block") {
  Graph graph;
  const Value src = add_input(graph, "image", 3);
  open_scope(graph, "Trunk");
  CHECK_THROWS_WITH_AS(convolution(graph, src, {.kernel = 64}),
                       "node 1 in Trunk_1.Conv_1: an option is outside its range (option's position 1, its value 64)",
                       ModelError);
}

TEST_CASE("rules: parameters of another shape than the operation's are refused") {
  Graph graph;
  const Value src = add_input(graph, "image", 3);
  const int weights = add_parameter(graph, "weights", {4, 2, 3, 3}, 4, Init::he_normal, 18);
  const Options options = pack(ConvolutionOptions{.out = 4, .kernel = 3, .padding = 1, .bias = 0});
  CHECK_THROWS_WITH_AS(add_node(graph, convolution_op, options, {src}, {weights}),
                       "node 1: a parameter does not have the shape its operation needs (elements expected 108, "
                       "elements given 72)",
                       ModelError);
  CHECK_THROWS_WITH_AS(add_node(graph, convolution_op, options, {src}),
                       "node 1: a parameter does not have the shape its operation needs (elements expected 1, "
                       "elements given 0)",
                       ModelError);
  const Options norm = pack(BatchNormOptions{});
  CHECK_THROWS_WITH_AS(add_node(graph, batch_norm_op, norm, {src}, {weights, weights, weights, weights}),
                       "node 1: a parameter does not have the shape its operation needs (elements expected 3, "
                       "elements given 72)",
                       ModelError);
}

TEST_CASE("types: values have those of their inputs, an operation may state its own; where values meet they are one") {
  Graph graph;
  const Value bytes = add_input(graph, "image", 3, DataType::u8);  // node 0
  const Value floats = add_input(graph, "depth", 3);               // node 1
  CHECK(info(graph, relu(graph, bytes)).type == DataType::u8);     // node 2
  CHECK(info(graph, floats).type == DataType::f32);
  CHECK_THROWS_WITH_AS(add(graph, std::array{bytes, floats}),
                       "node 3: values that meet must have the same type (f32 0, bf16 1, f16 2, s8 3, u8 4, s32 5) "
                       "(type of the first 4, type of this one 0)",
                       ModelError);
  CHECK_THROWS_AS(concat(graph, {floats, floats, bytes}), ModelError);
  static constexpr OpInfo dequantise{.name = "dequantise", .type = [](Graph& of, const Node& node) {
                                       const DataType from = info(of, input(of, node, 0)).type;
                                       require(of, from == DataType::u8, "dequantise takes bytes");
                                       return DataType::f32;
                                     }};
  const Value widened = add_node(graph, dequantise, {}, {bytes});
  CHECK(info(graph, widened).type == DataType::f32);
  CHECK_NOTHROW(add(graph, std::array{widened, floats}));
  CHECK_THROWS_WITH_AS(add_node(graph, dequantise, {}, {floats}), doctest::Contains("dequantise takes bytes"),
                       ModelError);
}

TEST_CASE("types: parameters state theirs, only floats are trained, and a shared block's are one") {
  Graph graph;
  const int id = add_parameter(graph, "scales", {4, 1, 1, 1}, 1, Init::ones, 1, true, DataType::s8);
  CHECK(graph.parameters[static_cast<std::size_t>(id)].type == DataType::s8);
  CHECK(!graph.parameters[static_cast<std::size_t>(id)].trainable);
  const auto block = [](DataType type) {
    return [type](Graph& of, Value src) {
      add_parameter(of, "table", {2, 1, 1, 1}, 1, Init::zeros, 1, false, type);
      return src;
    };
  };
  lower_shared(graph, "shared", block(DataType::s8), Value{});
  CHECK_NOTHROW(lower_shared(graph, "shared", block(DataType::s8), Value{}));
  CHECK_THROWS_WITH_AS(lower_shared(graph, "shared", block(DataType::u8), Value{}),
                       doctest::Contains("must have the same type"), ModelError);
}

TEST_CASE("rules: a constant evaluation records the first broken one with its figures and goes on") {
  constexpr Broken broken = broken_by_strides();
  static_assert(broken.rule == Rule::branch_strides);
  static_assert(broken.node == 2 && broken.first == 1 && broken.second == 2);
  CHECK(broken.rule == Rule::branch_strides);
}

TEST_CASE("rules: a user's own rule throws its text") {
  Graph graph;
  open_scope(graph, "Own");
  CHECK_NOTHROW(require(graph, true, "never said"));
  CHECK_THROWS_WITH_AS(require(graph, false, "must be even"), "node 0 in Own: must be even", ModelError);
}

TEST_CASE("rules: every rule has a sentence and two figures' names of its own") {
  for (int i = 1; i < static_cast<int>(Rule::count); ++i) {
    const RuleText text = rule_text(static_cast<Rule>(i));
    CAPTURE(i);
    CHECK(text.sentence != rule_text(Rule::none).sentence);
    CHECK(!text.first.empty());
    CHECK(!text.second.empty());
  }
}

TEST_CASE("strides: windows multiply them, cell by cell operations keep them, global values are a kind of their own") {
  Graph graph;
  const Value src = add_input(graph, "image", 3);
  const Value third = average_pool(graph, src, {.window = 3});
  const Value sixth = convolution(graph, third, {.out = 2, .kernel = 3, .stride = 2});
  const Value mean = global_average_pool(graph, sixth);
  CHECK((stride_of(graph, src) == Stride{1, 1, false}));
  CHECK((stride_of(graph, third) == Stride{3, 1, false}));
  CHECK((stride_of(graph, relu(graph, sixth)) == Stride{6, 1, false}));
  CHECK((stride_of(graph, convolution(graph, mean, {.out = 7})) == global_stride));
  CHECK((coarser({3, 2, false}, 4) == Stride{6, 1, false}));
}

}  // namespace graph_test
