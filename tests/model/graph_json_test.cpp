// The JSON form of a graph: what comes back from it, and structures that no network has.
#include <posemachine/base/json.hpp>
#include <posemachine/compose.hpp>
#include <posemachine/graph/difference.hpp>
#include <posemachine/model/graph_json.hpp>
#include <posemachine/networks/registry.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace graph_json_test {

using namespace posemachine;

namespace {

struct Block : Sequential<Conv<4, 3, ConvolutionOptions{.stride = 2, .bias = false}>, BatchNorm<>, ReLU> {};
struct Quiet : Sequential<AveragePool<2>, Sigmoid> {};  // owns no parameters
struct Net : Network<Input<"image", 3>, Input<"centre", 1>, Concat<From<"image">, From<"centre">>, Block, Quiet,
                     Dropout<Percent{30}>, SEGate<2>, Output<"maps">, Named<"head", Conv<5, 1>>, Output<"maps">,
                     Conv<2, 1>, Output<"other">> {};

Json example() { return graph_to_json(graph_of<Net>()); }

std::string refusal(const std::function<void(Json&)>& change) {
  Json json = example();
  change(json);
  try {
    static_cast<void>(graph_from_json(json, "m"));
  } catch (const ModelError& error) {
    return error.what();
  }
  return "taken";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("graph JSON: every network of the library comes back the same, and its JSON again to the byte") {
  for (const NamedNetwork& network : networks) {
    const Graph graph = network.build();
    const Json json = graph_to_json(graph);
    const Graph back = graph_from_json(json, "m");
    CHECK(first_difference(graph, back) == "");
    CHECK(graph_to_json(back).dump() == json.dump());
  }
}

TEST_CASE("graph JSON: channels, strides, blocks, inputs and the series of outputs come back") {
  const Graph graph = graph_of<Net>();
  const Graph back = graph_from_json(parse_json(example().dump(), "text"), "m");
  REQUIRE(back.values.size() == graph.values.size());
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    CHECK(back.values[i].channels == graph.values[i].channels);
    CHECK(back.values[i].stride == graph.values[i].stride);
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    CHECK(back.nodes[i].options == graph.nodes[i].options);
    CHECK(describe(back, static_cast<int>(i)) == describe(graph, static_cast<int>(i)));
  }
  for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
    CHECK(parameter_name(back, static_cast<int>(id)) == parameter_name(graph, static_cast<int>(id)));
    CHECK(back.parameters[id].init == graph.parameters[id].init);
    CHECK(back.parameters[id].fan_in == graph.parameters[id].fan_in);
    CHECK(back.parameters[id].trainable == graph.parameters[id].trainable);
  }
  REQUIRE(back.inputs.size() == 2);
  CHECK(name_text(back, back.inputs[1].name) == "centre");
  REQUIRE(back.outputs.size() == 3);
  CHECK(output_name(back, 0) == "maps_stage_1");
  CHECK(output_name(back, 1) == "maps");
  CHECK(output_name(back, 2) == "other");
}

TEST_CASE("graph JSON: structures that no network has are refused by field") {
  REQUIRE(refusal([](Json&) {}) == "taken");
  const auto stray = [](Json& g) {
    g["parameters"].push_back(g["parameters"][0]);
    g["parameters"].back()["name"] = "stray";
  };
  CHECK(contains(refusal(stray), "expected a node that uses stray, got none"));
  for (const std::string& name : {std::string(), std::string("."), std::string(".weights"), std::string("Block_1.")}) {
    CHECK(contains(refusal([&](Json& g) { g["parameters"][0]["name"] = name; }),
                   "parameters[0].name: expected a dotted path"));
  }
  const std::string own = "inputs[1]: expected a name and an input node of its own";
  CHECK(contains(refusal([](Json& g) { g["inputs"][1]["value"] = 0; }), own));
  CHECK(contains(refusal([](Json& g) { g["inputs"][1]["name"] = "image"; }), own));
  CHECK(contains(refusal([](Json& g) { g["inputs"].erase(1); }), "a name for every input node"));
  CHECK(contains(refusal([](Json& g) { g["outputs"][0]["name"] = ""; }), "outputs[0].name: expected a name"));
  CHECK(contains(refusal([](Json& g) { g["nodes"][0]["op"] = "relu_backward"; }), "nodes[0].op"));
}

TEST_CASE("graph JSON: the rules of the operations hold for files, with node and figures") {
  // Node 2 is the concat, 3 the convolution: the pool's window and the gate's channels come from the file alone.
  CHECK(contains(refusal([](Json& g) { g["nodes"][2]["inputs"] = {0}; }), "m.nodes[3]: node 3"));
  CHECK(contains(refusal([](Json& g) { g["nodes"][3]["options"]["out"] = 5; }),
                 "elements expected 180, elements given 144"));
  CHECK(contains(refusal([](Json& g) {
                   for (Json& node : g["nodes"]) {
                     if (node["op"] == "average_pool") node["options"]["padding"] = 2;
                   }
                 }),
                 "an option is outside its range"));
  CHECK(contains(refusal([](Json& g) {
                   for (Json& node : g["nodes"]) {
                     if (node["op"] == "channel_scale") node["inputs"][1] = node["inputs"][0];
                   }
                 }),
                 "a gate must be a global value"));
}

TEST_CASE("first_difference: ports and parameters of nodes are told with both sides") {
  const Graph graph = graph_of<Net>();
  Graph moved = graph;
  moved.outputs[0].value = 3;
  CHECK(contains(first_difference(graph, moved), "output maps: value "));
  CHECK(contains(first_difference(graph, moved), "and value 3"));
  Graph fewer = graph;
  fewer.nodes[3].parameters.count = 0;
  CHECK(contains(first_difference(graph, fewer), "parameters: 1 and 0"));
}

TEST_CASE(
    "graph JSON: more nodes, parameters, ports or longer names than a model file may hold are refused on both sides") {
  const auto repeated = [](const char* key, std::size_t count) {
    return refusal([&](Json& g) { g[key] = Json::array_t(count, g[key][0]); });
  };
  CHECK(contains(repeated("nodes", 10'001), "m.nodes: expected at most 10000 members, got 10001"));
  CHECK(contains(repeated("parameters", 40'001), "m.parameters: expected at most 40000 members"));
  CHECK(contains(repeated("inputs", 257), "m.inputs: expected at most 256 members"));
  CHECK(contains(repeated("outputs", 257), "m.outputs: expected at most 256 members"));
  const std::string text(1001, 'x');
  const std::string bound = "expected at most 1000 bytes, got 1001";
  CHECK(contains(refusal([&](Json& g) { g["parameters"][0]["name"] = text; }), "parameters[0].name: " + bound));
  CHECK(contains(refusal([&](Json& g) { g["nodes"][1]["block"] = text; }), "nodes[1].block: " + bound));
  CHECK(contains(refusal([&](Json& g) { g["outputs"][0]["name"] = text; }), "outputs[0].name: " + bound));

  const auto too_large = [](const Graph& graph) {
    try {
      check_limits(graph, "graph");
    } catch (const ModelError& error) {
      return std::string(error.what());
    }
    return std::string("taken");
  };
  CHECK(too_large(graph_of<Net>()) == "taken");
  Graph deep;
  Value value = add_input(deep, "image", 3);
  for (int i = 0; i < 10'000; ++i) value = relu(deep, value);
  add_output(deep, "maps", value);
  CHECK(too_large(deep) == "graph.nodes: expected at most 10000, got 10001");
  Graph many;
  value = add_input(many, "image", 3);
  for (int i = 0; i < 257; ++i) add_output(many, "maps", value);
  CHECK(too_large(many) == "graph.outputs: expected at most 256, got 257");
  Graph wordy;
  const int outer = open_scope(wordy, text);
  value = convolution(wordy, add_input(wordy, "image", 3), {});
  close_scope(wordy, outer);
  CHECK(contains(too_large(wordy), "graph.parameters[0].name, bytes: expected at most 1000"));
}

TEST_CASE("graph JSON: a graph of as many nodes with names of their own as a file may hold comes back the same") {
  Graph graph;
  Value value = add_input(graph, "image", 1);
  for (int i = 0; i < 9'999; ++i) {
    const int outer = open_scope(graph, "Block" + std::to_string(i));
    value = convolution(graph, value, {.out = 1});
    close_scope(graph, outer);
  }
  add_output(graph, "maps", value);
  const Json json = graph_to_json(graph);
  const Graph back = graph_from_json(json, "m");
  CHECK(first_difference(graph, back) == "");
  CHECK(graph_to_json(back) == json);
}

namespace {
struct Vocabulary : Network<Input<"image", 4>, Conv<8, 3, ConvolutionOptions{.stride = 2, .groups = 2}>, PReLU,
                            DepthwiseConv<3>, LeakyReLU<LeakyReluOptions{.slope_millionths = 250'000}>, SiLU,
                            Shared<"twice", Conv<8, 1>>, Sigmoid, Shared<"twice", Conv<8, 1>>, Frozen<BatchNorm<>>,
                            TransposedConv<4, 3, TransposedConvolutionOptions{.output_padding = 1}>, Upsample<3>,
                            UpsampleBilinear<2>, Softmax, Output<"maps">> {};
}  // namespace

TEST_CASE("graph JSON: every option of the vocabulary, shared parameters and frozen ones come back") {
  const Graph graph = graph_of<Vocabulary>();
  const Json json = graph_to_json(graph);
  const Graph back = graph_from_json(parse_json(json.dump(), "text"), "m");
  CHECK(first_difference(graph, back) == "");
  CHECK(graph_to_json(back) == json);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    CHECK(back.nodes[i].options == graph.nodes[i].options);
    CHECK(parameter_ids(back, back.nodes[i]) == parameter_ids(graph, graph.nodes[i]));
  }
  for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
    CHECK(back.parameters[id].trainable == graph.parameters[id].trainable);
    CHECK(back.parameters[id].init == graph.parameters[id].init);
  }
}

TEST_CASE("graph JSON: groups are written where there are some; a file from before them means one") {
  const Json json = graph_to_json(graph_of<Vocabulary>());
  CHECK(json["nodes"][1]["options"]["groups"] == 2);
  CHECK_FALSE(example()["nodes"][3]["options"].contains("groups"));
  const Graph old = graph_from_json(example(), "m");
  for (const Node& node : old.nodes) {
    if (node.op == &convolution_op) CHECK(unpack<ConvolutionOptions>(node.options).groups == 1);
  }
  CHECK(contains(refusal([](Json& g) { g["nodes"][3]["options"]["groups"] = 0; }),
                 "options.groups: expected an integer"));
}

}  // namespace graph_json_test
