// Networks from JSON: equal to the types, open to a user's own layers and operations, and refused in words.
#include "environment.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/compose.hpp>
#include <posemachine/graph/difference.hpp>
#include <posemachine/model/graph_json.hpp>
#include <posemachine/model/layer_fields.hpp>
#include <posemachine/model/layer_set.hpp>
#include <posemachine/model/layer_words.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/named_network.hpp>
#include <posemachine/model/network_description.hpp>
#include <posemachine/model/network_json.hpp>
#include <posemachine/pose/model_spec_json.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace network_json_test {

using namespace posemachine;
using test_environment::source_dir;

namespace {

// A network of the given layers between an image and heatmaps for LSP's joints.
Json around(const std::string& layers, const std::string& rest = "") {
  return parse_json(R"({"network": "n", "layers": [{"Input": {"name": "image", "channels": 3}}, )" + layers +
                        R"(, {"Conv": {"out": 15, "kernel": 1}}, {"Output": "heatmaps"}])" + rest + "}",
                    "test");
}

Graph graph_around(const std::string& layers, const std::string& rest = "") {
  return network_from_json(around(layers, rest), "n.json").graph;
}

template <class... Layers>
struct Around : Network<Input<"image", 3>, Layers..., Conv<15, 1>, Output<"heatmaps">> {};

std::string refusal(const Json& json, const LayerSet& layers = library_layers(), const OpSet& ops = OpSet()) {
  try {
    static_cast<void>(network_from_json(json, "n.json", layers, ops));
  } catch (const ModelError& error) {
    return error.what();
  }
  return "taken";
}

std::string refusal_of(const std::string& layers, const std::string& rest = "") {
  return refusal(around(layers, rest));
}

}  // namespace

TEST_CASE("network JSON: the files of examples/networks are the networks of the library, meaning and all") {
  std::set<std::string> seen;
  for (const auto& entry : std::filesystem::directory_iterator(source_dir() / "examples" / "networks")) {
    if (entry.path().extension() != ".json") continue;
    CAPTURE(entry.path().string());
    const NetworkDescription network = read_network(entry.path());
    const NamedNetwork* named = find_network(network.name);
    if (network.name == "two-stages") continue;  // examples/compose_network.cpp compares it with its type
    if (network.name == "scaling-dilation-fine-fields") {
      CHECK(network.spec.outputs == std::vector<OutputSpec>{{"limb_fields", "limb_fields", "limb_scores"},
                                                            {"joint_offsets", "joint_offsets", "refined_joints"}});
      continue;  // the library has no such type
    }
    REQUIRE(named != nullptr);
    const NetworkDescription type = description_of(*named);
    CHECK(first_difference(network.graph, type.graph) == "");
    CHECK(graph_to_json(network.graph) == graph_to_json(type.graph));
    CHECK(spec_to_json(Model::random(network, 1).spec()) == spec_to_json(Model::random(type, 1).spec()));
    seen.insert(network.name);
  }
  CHECK(seen.size() == 6);  // cpm-6 differs from cpm-3 in one constant
  Json cpm = read_network_json(source_dir() / "examples" / "networks" / "cpm_3.json");
  cpm["constants"]["later_stages"] = 4;
  CHECK(first_difference(network_from_json(cpm, "m").graph, find_network("cpm-6")->build()) == "");
}

TEST_CASE("network JSON: every word gives the graph of its type") {
  const auto equals = [](const std::string& layers, const Graph& type) {
    CAPTURE(layers);
    const Graph graph = graph_around(layers);
    CHECK(first_difference(graph, type) == "");
    CHECK(graph_to_json(graph) == graph_to_json(type));
  };
  equals(
      R"({"Conv": {"out": 8, "kernel": 3, "stride": 2, "dilation": 2, "padding": 2, "bias": false, "init": "zeros"}})",
      graph_of<Around<Conv<
          8, 3, ConvolutionOptions{.stride = 2, .dilation = 2, .padding = 2, .bias = false, .init = Init::zeros}>>>());
  equals(R"({"Conv": {"out": 6, "kernel": 1, "groups": 3}}, {"DepthwiseConv": 3}, "BatchNorm", "PReLU", "SiLU")",
         graph_of<Around<Conv<6, 1, ConvolutionOptions{.groups = 3}>, DepthwiseConv<3>, BatchNorm<>, PReLU, SiLU>>());
  equals(R"({"BatchNorm": {"epsilon_billionths": 5, "momentum_permille": 7}}, {"LeakyReLU": 250000}, "LeakyReLU")",
         graph_of<Around<BatchNorm<BatchNormOptions{5, 7}>, LeakyReLU<LeakyReluOptions{250'000}>, LeakyReLU<>>>());
  equals(R"("ReLU", "Softmax", "Sigmoid", {"Dropout": 20}, {"Dropout": 0})",
         graph_of<Around<ReLU, Softmax, Sigmoid, Dropout<Percent{20}>>>());
  equals(R"({"MaxPool": 2}, {"AveragePool": {"window": 3, "stride": 2, "ceil": true}}, {"Upsample": 3},
            "UpsampleBilinear")",
         graph_of<Around<MaxPool<2>, AveragePool<3, PoolingOptions{.stride = 2, .ceil = true}>, Upsample<3>,
                         UpsampleBilinear<>>>());
  equals(R"({"MaxPool": 2}, {"TransposedConv": {"out": 4, "kernel": 3, "output_padding": 1, "init": "lecun_normal"}})",
         graph_of<Around<
             MaxPool<2>,
             TransposedConv<4, 3, TransposedConvolutionOptions{.output_padding = 1, .init = Init::lecun_normal}>>>());
  equals(R"({"ConvReLU": {"out": 4, "kernel": 5, "norm": "batch"}}, {"Sequential": ["ReLU", ["Sigmoid", "ReLU"]]})",
         graph_of<Around<ConvReLU<4, 5, Norm::batch>, ReLU, Sigmoid, ReLU>>());
  equals(R"({"Fire": {"squeeze": 3, "expand": 5}}, {"FireModule": {"expand": 4, "norm": "batch"}}, "PyramidStack",
            {"PyramidStack": {"kernel": 5, "norm": "batch"}})",
         graph_of<Around<Fire<FireOptions{3, 5}>, FireModule<FireOptions{.expand = 4, .norm = Norm::batch}>,
                         PyramidStack<>, PyramidStack<PyramidOptions{5, Norm::batch}>>>());
  equals(R"({"DilationModule": [1, 3]}, {"DilationModule": {"rates": [2], "width": 5, "norm": "batch"}})",
         graph_of<Around<DilationModule<1, 3>, DilationModule<2, Width{5, Norm::batch}>>>());
  equals(
      R"({"SEGate": 3}, {"ResidualBlock": 8}, {"ResidualBlock": {"out": 8, "stride": 2, "norm": "none"}},
            {"Bottleneck": 8}, {"Bottleneck": {"out": 12, "reduction": 3, "stride": 2, "norm": "none"}})",
      graph_of<
          Around<SEGate<3>, ResidualBlock<8>, ResidualBlock<8, ResidualOptions{.stride = 2, .norm = Norm::none}>,
                 Bottleneck<8>, Bottleneck<12, ResidualOptions{.stride = 2, .reduction = 3, .norm = Norm::none}>>>());
  equals(R"({"SeparableConv": {"out": 8, "kernel": 5, "stride": 2}}, {"InvertedResidual": 8},
            {"InvertedResidual": {"out": 6, "expansion": 2, "norm": "none"}})",
         graph_of<Around<SeparableConv<8, SeparableOptions{.kernel = 5, .stride = 2}>, InvertedResidual<8>,
                         InvertedResidual<6, SeparableOptions{.expansion = 2, .norm = Norm::none}>>>());
  equals(R"({"Residual": [{"Conv": {"out": 3, "kernel": 3}}, "ReLU"]},
            {"Residual": {"body": {"Conv": {"out": 4, "kernel": 3}}, "shortcut": {"Conv": {"out": 4, "kernel": 1}}}},
            {"Hourglass": {"depth": 2, "block": {"Bottleneck": 4}}})",
         graph_of<Around<Residual<Sequential<Conv<3, 3>, ReLU>>, Residual<Conv<4, 3>, Conv<4, 1>>,
                         Hourglass<2, Bottleneck<4>>>>());
  equals(
      R"({"Tag": "a"}, {"Concat": [[{"Conv": {"out": 3, "kernel": 1}}, {"Tag": "inside"}], "Identity"]},
            {"Retag": "b"},
            {"From": "a"}, {"Add": ["Identity", {"From": "image"}]}, {"Concat": [{"From": "b"}, "Identity"]})",
      graph_of<Around<Tag<"a">, Concat<Sequential<Conv<3, 1>, Tag<"inside">>, Identity>, Retag<"b">, From<"a">,
                      Add<Identity, From<"image">>, Concat<From<"b">, Identity>>>());
  equals(R"({"Named": {"name": "head", "layers": [{"Conv": {"out": 3, "kernel": 3}}]}},
            {"Shared": {"name": "twice", "layers": {"Conv": {"out": 3, "kernel": 1}}}}, "ReLU",
            {"Shared": {"name": "twice", "layers": {"Conv": {"out": 3, "kernel": 1}}}},
            {"Frozen": ["BatchNorm", {"Conv": {"out": 4, "kernel": 1}}]}, "GlobalAveragePool", {"From": "image"})",
         graph_of<Around<Named<"head", Conv<3, 3>>, Shared<"twice", Conv<3, 1>>, ReLU, Shared<"twice", Conv<3, 1>>,
                         Frozen<Sequential<BatchNorm<>, Conv<4, 1>>>, GlobalAveragePool, From<"image">>>());
  equals(R"({"Repeat": {"times": 0, "layers": ["ReLU"]}}, {"Repeat": {"times": 2, "layers": ["FireModule", "ReLU"]}},
            {"Stages": {"count": 3, "first": "ReLU", "next": ["Sigmoid", "ReLU"]}})",
         graph_of<Around<Repeat<2, Sequential<FireModule<>, ReLU>>, Stages<3, ReLU, Sequential<Sigmoid, ReLU>>>>());
}

TEST_CASE("network JSON: every layer type of the library is a word") {
  // Types of layers/ and modules/ with a function lower(), less the network itself and what C++ alone needs.
  const std::set<std::string> none{"Network", "Custom"};
  std::size_t found = 0;
  const LayerSet words = library_layers();
  for (const char* folder : {"layers", "modules"}) {
    for (const auto& entry : std::filesystem::directory_iterator(source_dir() / "include" / "posemachine" / folder)) {
      std::ifstream file(entry.path());
      std::string line;
      std::string type;
      while (std::getline(file, line)) {
        if (line.starts_with("struct ")) {
          std::size_t end = 7;
          while (end < line.size() && detail::is_identifier_character(line[end])) ++end;
          type = line.substr(7, end - 7);
        }
        const bool layer = line.starts_with("  static constexpr Value lower(Graph&") ||
                           (line.starts_with("struct ") && line.find(" : Sequential<") != std::string::npos) ||
                           (line.starts_with("struct ") && line.find(" : Add<") != std::string::npos);
        if (!layer || none.contains(type)) continue;
        CAPTURE(type);
        CHECK(words.find(type) != nullptr);
        ++found;
      }
    }
  }
  CHECK(found >= 38);
}

TEST_CASE("network JSON: the reference page names every word and its fields") {
  std::ifstream file(source_dir() / "docs" / "reference" / "network_file.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  const LayerSet words = library_layers();
  for (const std::string& name : words.names()) {
    CAPTURE(name);
    const std::size_t at = page.find("`" + name + "`", page.find("| layer | options |"));
    REQUIRE(at != std::string::npos);
    // "| `Conv` | *out*, *kernel*, stride |": the options are what stands in the second cell, up to a colon.
    const std::size_t begin = page.find(" | ", at);
    const std::size_t end = page.find(" |", begin + 2);
    std::string cell = end <= begin + 3 ? "" : page.substr(begin + 3, end - begin - 3);
    cell = cell.substr(0, cell.find(':'));
    std::set<std::string> options;
    std::string option;
    for (const char c : cell + ",") {
      if (detail::is_identifier_character(c)) option += c;
      if (c != ',') continue;
      if (!option.empty()) options.insert(option);
      option.clear();
    }
    const std::vector<std::string>& fields = words.find(name)->fields;
    CHECK(options == std::set<std::string>(fields.begin(), fields.end()));
  }
}

TEST_CASE("network JSON: blocks head names, are found in any order, and Inline leaves their level out") {
  struct Inner : Sequential<Conv<4, 3>, ReLU> {};
  struct Outer : Sequential<Inner, Inner> {};
  struct Glued : Sequential<Conv<4, 3>, ReLU, SEGate<2>> {};
  struct Derived : SEGate<3> {};
  const Graph graph = graph_around(R"("Derived", "Outer", "Glued", "Outer")",
                                   R"(, "blocks": {"Outer": ["Inner", "Inner"], "Glued": [{"Inline": "Inner"},
                                        {"SEGate": 2}], "Inner": [{"Conv": {"out": 4, "kernel": 3}}, "ReLU"],
                                        "Derived": {"Inline": {"SEGate": 3}}})");
  CHECK(first_difference(graph, graph_of<Around<Derived, Outer, Glued, Outer>>()) == "");
  CHECK(parameter_name(graph, 0) == "Derived_1.Conv_1.weights");
}

TEST_CASE("network JSON: the graph's own form comes back the same, with the meaning that it has") {
  for (const NamedNetwork& named : networks) {
    NetworkDescription network = description_of(named);
    network.spec.heatmaps = output_names(network.graph);
    const Json json = network_to_json(network);
    const NetworkDescription back = network_from_json(parse_json(json.dump(), "text"), "m");
    CHECK(back.name == named.name);
    CHECK(first_difference(back.graph, network.graph) == "");
    CHECK(network_to_json(back) == json);
  }
}

namespace {

struct OwnOptions {
  std::int32_t width = 8;
  bool gate = false;
  LayerFunction head;
};

Value own_module(Graph& graph, Value src, const OwnOptions& options) {
  Value value = convolution_relu(graph, src, {.out = options.width, .kernel = 3}, Norm::none);
  if (options.gate) value = in_block(graph, "SEGate", [](Graph& g, Value v) { return se_gate(g, v, {2}); }, value);
  return options.head ? options.head(graph, value) : value;
}

// An operation with an option; what it computes is of no concern here.
struct ClipOptions {
  std::int32_t most = 6;
};
constexpr std::array clip_options{OptionInfo{"most", 1, 100, true, 6}};
constexpr CustomKernels clip_kernels{.forward = [](const ForwardCall&) {}};
constexpr OpInfo clip_op{.name = "test.clip", .options = clip_options, .kernels = &clip_kernels};
constexpr OpInfo clip_op_2{.name = "test.clip", .version = 2, .options = clip_options, .kernels = &clip_kernels};

struct OwnType : Sequential<Conv<5, 3>, Sigmoid> {};
struct ByHand : Sequential<ConvReLU<6, 3>, SEGate<2>, PReLU> {};

}  // namespace

TEST_CASE("network JSON: a user's own modules, with and without options, and operations") {
  LayerSet layers = library_layers();
  using F = LayerFields<OwnOptions>;
  layers.add("Own",
             {F::integer("width", &OwnOptions::width, 1, 64), F::flag("gate", &OwnOptions::gate),
              F::layer("head", &OwnOptions::head)},
             own_module);
  layers.add<OwnType>();
  const Json json = around(R"({"Own": {"width": 6, "gate": true, "head": "PReLU"}}, "OwnType", {"Own": 7})");
  const Graph graph = network_from_json(json, "m", layers).graph;
  CHECK(parameter_name(graph, 0) == "Own_1.Conv_1.weights");
  CHECK(parameter_name(graph, 7) == "OwnType_1.Conv_1.weights");
  CHECK(graph.parameters[9].extents[0] == 7);
  Json same = json;
  same["layers"][1] = "ByHand";
  same["layers"].erase(3);
  same["layers"][2] = "OwnType";
  layers.add<ByHand>();
  CHECK(count_parameters(network_from_json(same, "m", layers).graph) == parameter_count<Around<ByHand, OwnType>>);
  CHECK(refusal(json).find("layers[1].Own: expected a layer, a block") != std::string::npos);
  CHECK_THROWS_AS(layers.add<OwnType>(), UsageError);
  CHECK_THROWS_AS(layers.add("two words", {F::flag("gate", &OwnOptions::gate)}, own_module), UsageError);

  const OpSet ops{&clip_op, &clip_op_2};
  const auto network = around(R"("test.clip", {"test.clip": {"version": 1, "most": 9}})");
  CHECK(first_difference(network_from_json(network, "m", library_layers(), ops).graph,
                         graph_of<Around<Custom<clip_op_2, ClipOptions{}>, Custom<clip_op, ClipOptions{9}>>>()) == "");
  CHECK(refusal(network).find("layers[1].test.clip: expected a layer, a block of the description or an operation") !=
        std::string::npos);
  CHECK(first_difference(
            network_from_json(around(R"({"test.clip": 7}, {"test.clip": {"most": "m"}})", R"(, "constants": {"m": 7})"),
                              "m", library_layers(), ops)
                .graph,
            graph_of<Around<Custom<clip_op_2, ClipOptions{7}>, Custom<clip_op_2, ClipOptions{7}>>>()) == "");
  CHECK(refusal(around(R"({"test.clip": {"version": 9}})"), library_layers(), ops).find("got version 9 of it") !=
        std::string::npos);
  CHECK(
      refusal(around(R"({"test.clip": {"mots": 9}})"), library_layers(), ops)
          .find("n.json.layers[1].test.clip.mots: expected a known key, got an unknown one; did you mean \"most\"?") !=
      std::string::npos);
}

TEST_CASE("network JSON: mistakes are refused by place, with what was expected") {
  const auto says = [](const std::string& text, const std::string& expected) {
    INFO(text);
    CHECK(text.find(expected) != std::string::npos);
  };
  says(refusal_of(R"("RelU")"),
       "n.json.layers[1].RelU: expected a layer, a block of the description or an operation of "
       "this program, got an unknown name; did you mean \"ReLU\"?");
  says(refusal_of(R"({"Conv": {"out": 8}})"), "n.json.layers[1].Conv.kernel: expected a value, got none");
  says(refusal_of(R"("Conv")"), "n.json.layers[1].Conv.out: expected a value, got none");
  says(refusal_of(R"({"Conv": {"out": 8, "kernle": 3}})"),
       "Conv.kernle: expected a known key, got an unknown one; did you "
       "mean \"kernel\"?");
  says(refusal_of(R"({"Conv": {"out": 8, "kernel": 64}})"), "Conv.kernel: expected an integer from 1 to 63, got 64");
  says(refusal_of(R"({"Conv": {"out": 8.5, "kernel": 3}})"), "Conv.out: expected an integer from 1 to 65536, got 8.5");
  says(refusal_of(R"({"Conv": {"out": 8, "kernel": 3, "init": "he"}})"), "expected one of he_normal, lecun_normal");
  says(refusal_of(R"({"Conv": {"out": 8, "kernel": 3, "bias": 1}})"), "Conv.bias: expected true or false, got 1");
  says(refusal_of(R"({"Conv": {"out": "wide", "kernel": 3}})", R"(, "constants": {"width": 3})"),
       "Conv.out: expected an integer or the name of a constant, got \"wide\"; did you mean \"width\"?");
  says(refusal_of(R"({"Conv": {"out": "width", "kernel": 3}})", R"(, "constants": {"width": 0})"),
       "Conv.out: expected an integer from 1 to 65536, got 0, which is width");
  says(refusal_of(R"({"Conv": {"out": 8, "kernel": 4}})"), "an even kernel keeps the size only by an uneven padding");
  says(refusal_of(R"({"ReLU": 3})"), "layers[1].ReLU: expected no options, got 3");
  says(refusal_of(R"({"ReLU": {}, "Sigmoid": {}})"), "layers[1]: expected a layer: \"ReLU\"");
  says(refusal_of("7"), "layers[1]: expected a layer: \"ReLU\"");
  says(refusal_of(R"({"Tag": "low"}, {"From": "lov"})"),
       "layers[2].From: expected a tag that is visible here: image, low, got \"lov\"; did you mean \"low\"?");
  says(refusal_of(R"({"Concat": [["ReLU", {"Tag": "in"}]]}, {"From": "in"})"), "layers[2].From: expected a tag that");
  says(refusal_of(R"({"Tag": "image"})"),
       "layers[1].Tag: expected a name that is not visible here, got \"image\"; Retag");
  says(
      refusal_of(R"({"Concat": ["Identity", "ReLU", {"MaxPool": 2}]})"),
      "layers[1].Concat: node 3: branches that meet must have the same stride (stride of the first branch 1, stride of "
      "this branch 2)");
  says(refusal_of(R"("ReLU", "Gated")", R"(, "blocks": {"Gated": ["ReLU", {"Concat": [{"SEGate": 2}]}]})"),
       "n.json.blocks.Gated[1].Concat.branches[0].SEGate: node 3 in Gated.SEGate: channels must be divisible (channels "
       "3, "
       "divisor 2)");
  says(refusal_of(R"({"Bottleneck": {"out": 6}})"), "channels must be divisible (channels 6, divisor 4)");
  says(refusal_of(R"("A")", R"(, "blocks": {"A": ["B"], "B": ["ReLU", "A"]})"),
       "n.json.blocks.A: expected a block without itself, got one inside itself");
  says(refusal_of(R"("ReLU")", R"(, "blocks": {"Unused": ["RelU"]})"),
       "n.json.blocks.Unused[0].RelU: expected a layer");
  says(refusal_of(R"("ReLU")", R"(, "blocks": {"ReLU": []})"),
       "blocks.ReLU: expected a name of its own, got that of a");
  says(refusal_of(R"("ReLU")", R"(, "blocks": {"a.b": []})"), "expected names that are identifiers");
  says(refusal_of(R"({"A": 1})", R"(, "blocks": {"A": []})"), "layers[1].A: expected no options for a block, got 1");
  says(refusal_of(R"({"Inline": ["ReLU"]})"), "layers[1].Inline: expected one layer, got a list");
  says(refusal_of(R"({"Input": {"name": "image", "channels": 1}})"), "layers[1].Input: expected every input once");
  says(refusal_of(R"({"Input": {"name": "depth", "channels": 1, "type": "f8"}})"),
       "layers[1].Input.type: expected one of f32, bf16, f16, s8, u8, s32, got \"f8\"");
  says(refusal_of(
           R"({"Input": {"name": "depth", "channels": 3, "type": "u8"}}, {"Add": ["Identity", {"From": "image"}]})"),
       "values that meet must have the same type");
  says(refusal_of(R"({"Tag": ""})"), "Tag.name: expected a name of 1 to 200 bytes");
  says(refusal_of(R"({"DilationModule": []})"), "DilationModule.rates: expected a list of 1 to 64 members, got 0");
  says(refusal_of(R"({"DilationModule": [1, 0]})"), "DilationModule.rates[1]: expected an integer from 1 to 64, got 0");
  says(refusal_of(R"("ReLU")", R"(, "layer": [])"), "n.json.layer: expected a known key");
  Json json = around(R"("ReLU")");
  json["layers"].erase(0);
  says(refusal(json), "n.json.layers[0]: expected the network's input first");
  json = around(R"("ReLU")");
  json["layers"].erase(3);
  says(refusal(json), "n.json.layers: node 3: a network needs at least one Output");
  json["network"] = 3;
  says(refusal(json), "n.json.network: expected a name of 1 to 200 bytes, got 3");
  says(refusal(Json(3)), "n.json: expected an object, got number");
  says(refusal_of(R"("ReLU")", R"(, "meaning": {"sigma": 3})"), "n.json.meaning.sigma: expected a known key");
  says(refusal_of(R"("ReLU")", R"(, "meaning": {"input_height": 2})"),
       "n.json.meaning.input_height: expected a number");
  says(refusal_of(R"({"MaxPool": 2})", R"(, "meaning": {"input_height": 33})"), "expected a multiple of 2");
  says(refusal_of(R"({"Named": {"name": "a_1.b", "layers": ["ReLU"]}})"),
       "Named.name: expected a name without dots, got \"a_1.b\"");
  says(refusal_of(R"({"Frozen": {"Conv": {"out": 3, "kernel": 3}}})"),
       "Frozen.Conv: expected an option, got what looks like a layer; a layer inside another one stands in a list");
  says(refusal_of(R"({"Conv": [3, 3]})"), "layers[1].Conv.out: expected an integer from 1 to 65536, got [3,3]");
  says(refusal_of(R"({"Input": {"name": "again", "channels": 3}})"),
       "n.json.meaning.inputs: expected a role for each input, where several could be the image, got none");
  says(refusal_of(R"({"InvertedResidual": {"out": 8, "expansion": 64}})", R"(, "constants": {})"), "taken");
  says(refusal_of(R"({"Input": {"name": "c", "channels": 1}}, {"From": "image"})"),
       "n.json.meaning.inputs: expected a role for each of the graph's 2 inputs, got 1");
}

TEST_CASE("network JSON: a file may name its decoder, and keeps the default's other half where it does not say it") {
  const auto decoder = [](const std::string& text) {
    return network_from_json(around(R"("ReLU")", R"(, "meaning": {"decoder": )" + text + "}"), "n.json").spec.decoder;
  };
  CHECK(decoder(R"({"kind": "taylor"})") == Decoder{"taylor", false});
  CHECK(decoder(R"({"kind": "arg_max", "flip_average": true})") == Decoder{"arg_max", true});
  CHECK(decoder(R"({"quarter_offset": false})") == Decoder{"arg_max", false});
  CHECK(decoder(R"({"flip_average": true})") == Decoder{"quarter_offset", true});
  CHECK(refusal_of(R"("ReLU")", R"(, "meaning": {"decoder": {"kind": "taylor", "quarter_offset": true}})")
            .find("n.json.meaning.decoder: expected one of kind and quarter_offset, got both") != std::string::npos);
}

TEST_CASE("network JSON: little text cannot ask for endless work or memory") {
  const std::string times = R"({"Repeat": {"times": 10000, "layers": [)";
  const std::string many = "expected a network of at most 10000 operations, 10000 names and 100000 layers, got more";
  CHECK(refusal_of(times + times + R"("ReLU"]}}]}})").find(many) != std::string::npos);
  CHECK(refusal_of(times + times + R"("Identity"]}}]}})").find(many) != std::string::npos);
  CHECK(refusal_of(times + times + times + "]}}]}}]}}").find(many) != std::string::npos);
  std::string blocks = R"("B0": [])";
  for (int i = 1; i < 100; ++i) {
    blocks += R"(, "B)" + std::to_string(i) + R"(": ["B)" + std::to_string(i - 1) + R"(", "B)" + std::to_string(i - 1) +
              R"("])";
  }
  const std::string text = refusal_of(R"("B99")", R"(, "blocks": {)" + blocks + "}");
  CHECK((text.find("blocks inside each other") != std::string::npos || text.find(many) != std::string::npos));
  // Empty blocks and lists, and wide fans of blocks, are work too.
  CHECK(refusal_of(times + times + R"("E"]}}]}})", R"(, "blocks": {"E": []})").find(many) != std::string::npos);
  std::string fan = R"("F0": [])";
  for (int i = 1; i < 6; ++i) {
    fan += R"(, "F)" + std::to_string(i) + R"(": [)";
    for (int k = 0; k < 60; ++k) fan += (k ? R"(, "F)" : R"("F)") + std::to_string(i - 1) + R"(")";
    fan += "]";
  }
  CHECK(refusal_of(R"("F5")", R"(, "blocks": {)" + fan + "}").find(many) != std::string::npos);
  std::string tags;
  for (int i = 0; i < 11'000; ++i) tags += (i ? R"(, {"Tag": "t)" : R"({"Tag": "t)") + std::to_string(i) + R"("})";
  CHECK(refusal_of(tags).find(many) != std::string::npos);
  std::string lists = "[]";
  for (int i = 0; i < 100'001; ++i) lists += ", []";
  CHECK(refusal_of(lists).find("expected at most 100000 layers in a file, got more") != std::string::npos);
  std::string deep = R"("C0")";
  std::string chain;
  for (int i = 0; i < 18; ++i) {
    chain += R"("C)" + std::to_string(i) + R"(": ["C)" + std::to_string(i + 1) + R"("], )";
  }
  CHECK(refusal_of(deep, R"(, "blocks": {)" + chain + R"("C18": []})").find("at most 16 blocks inside each other") !=
        std::string::npos);
  CHECK(refusal_of(R"({"Conv": {"out": 65536, "kernel": 1}}, {"Conv": {"out": 65536, "kernel": 63}})")
            .find("expected at most 1073741824 numbers in all parameters") != std::string::npos);
  // Figures of a shared block that would not fit an int.
  CHECK(refusal_of(R"({"Shared": {"name": "s", "layers": {"Conv": {"out": 65536, "kernel": 1}}}},
                   {"Shared": {"name": "s", "layers": {"Conv": {"out": 65536, "kernel": 63}}}})")
            .find("(elements it has 196608, elements needed 2147483647)") != std::string::npos);
}

}  // namespace network_json_test
