// Networks for pictures of one channel: their graphs, files and descriptions.
#include "environment.hpp"
#include "refusal.hpp"

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/compose.hpp>
#include <posemachine/graph/difference.hpp>
#include <posemachine/graph/passes/set_input_channels.hpp>
#include <posemachine/model/grey_input.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/named_network.hpp>
#include <posemachine/model/network_json.hpp>
#include <posemachine/model/onnx.hpp>
#include <posemachine/pose/model_spec_json.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace grey_input_test {

using namespace posemachine;
using test_environment::contains;
using test_environment::refusal;

namespace {

template <int Channels>
struct Net : Network<Input<"image", Channels>, ConvReLU<4, 3, Norm::batch>, PyramidStack<>, SEGate<2>, Conv<15, 1>,
                     Output<"heatmaps">> {};
struct Depthwise : Network<Input<"image", 3>, DepthwiseConv<3>, Conv<15, 1>, Output<"heatmaps">> {};

ModelSpec grey_spec(int bit_depth) {
  ModelSpec spec;
  spec.input_height = spec.input_width = 32;
  spec.colour_order = "grey";
  spec.bit_depth = bit_depth;
  spec.normalisation = default_normalisation(bit_depth);
  return spec;
}

Json description(const std::string& channels, const std::string& spec) {
  return parse_json(R"({"network": "n", "layers": [{"Input": {"name": "image", "channels": )" + channels +
                        R"(}}, {"Conv": {"out": 15, "kernel": 3, "stride": 2}}, {"Output": "heatmaps"}])" + spec + "}",
                    "text");
}

}  // namespace

TEST_CASE("set_input_channels: the graph is that of the type with another input, and itself again with its own") {
  Graph graph = graph_of<Net<3>>();
  set_input_channels(graph, "image", 1);
  CHECK(first_difference(graph, graph_of<Net<1>>()) == "");
  set_input_channels(graph, "image", 3);
  CHECK(first_difference(graph, graph_of<Net<3>>()) == "");
  CHECK(contains(refusal<ModelError>([&] { set_input_channels(graph, "picture", 1); }), "got picture"));
}

TEST_CASE("set_input_channels: a layer that depends on the channels it had is refused, and the graph is as it was") {
  Graph graph = graph_of<Depthwise>();
  CHECK_THROWS_AS(set_input_channels(graph, "image", 1), ModelError);
  CHECK(first_difference(graph, graph_of<Depthwise>()) == "");
}

TEST_CASE("with_grey_input: every named network, with as many weights fewer as its first convolution has for colours") {
  for (const NamedNetwork& named : networks) {
    CAPTURE(named.name);
    const NetworkDescription rgb = description_of(named);
    for (const int bits : {8, 16}) {
      NetworkDescription grey = with_grey_input(rgb, bits);
      grey.spec.heatmaps = output_names(grey.graph);
      check(grey.graph, grey.spec, "meaning");
      CHECK(image_channels(grey.spec) == 1);
      CHECK(grey.spec.bit_depth == bits);
      const Value image{grey.graph.inputs[0].value};
      std::int64_t colours = 0;
      for (const Node& node : rgb.graph.nodes) {
        if (node.inputs.count == 0 || node.op->kind() != OpKind::convolution) continue;
        if (input(rgb.graph, node, 0).id != image.id) continue;
        colours += parameter(rgb.graph, node, 0).size() * 2 / 3;
      }
      CHECK(colours > 0);
      CHECK(count_parameters(rgb.graph) - count_parameters(grey.graph) == colours);
    }
  }
}

TEST_CASE("model file: an input of one channel and its bit depth come back, in one number per channel") {
  for (const int bits : {8, 16}) {
    const Model model = Model::random<Net<1>>(3, grey_spec(bits));
    const Model back = Model::from_bytes(model.to_bytes(), "m");
    CHECK(back.spec().colour_order == "grey");
    CHECK(back.spec().bit_depth == bits);
    CHECK(back.spec().normalisation == default_normalisation(bits));
    CHECK(back.to_bytes() == model.to_bytes());
    const Json json = spec_to_json(model.spec());
    CHECK(json["normalisation"]["mean"].size() == 1);
    CHECK(json["normalisation"]["mean"][0] == (bits == 16 ? 2000 : 128));
    CHECK(json.contains("bit_depth") == (bits == 16));
    // The shape after "N": 1 x 32 x 32, each a message of one number.
    const std::string dims{"\x0a\x02\x08\x01\x0a\x02\x08\x20\x0a\x02\x08\x20"};
    CHECK(contains(to_onnx(model, {32, 32}), dims));
  }
}

TEST_CASE("model file: files from before bit depths are written as they were read, to the byte") {
  const std::filesystem::path path =
      test_environment::source_dir() / "examples/models/scaling-dilation-fine.safetensors";
  CHECK(Model::load(path.string()).to_bytes() == read_file<DataError>(path, std::uint64_t{1} << 30));
}

TEST_CASE("meaning: what does not fit an input of one channel is refused by its field") {
  const auto refused = [](const std::function<void(Json&)>& change) {
    Json json = spec_to_json(grey_spec(16));
    change(json);
    return refusal<ModelError>([&] { static_cast<void>(spec_from_json(json, "m")); });
  };
  CHECK(refused([](Json&) {}) == "");
  CHECK(contains(refused([](Json& m) { m["bit_depth"] = 12; }), "m.bit_depth: expected 8 or 16, got 12"));
  CHECK(contains(refused([](Json& m) { m["bit_depth"] = 32; }), "m.bit_depth"));
  CHECK(contains(refused([](Json& m) { m["colour_order"] = "gray"; }), "m.colour_order: expected rgb, bgr or grey"));
  CHECK(contains(refused([](Json& m) { m["normalisation"]["mean"] = {1, 2, 3}; }),
                 "m.normalisation.mean: expected 1 number, as the colour order is grey, got 3"));
  CHECK(contains(refused([](Json& m) {
                   m["colour_order"] = "rgb";
                   m["normalisation"] = {{"mean", {1, 2, 3}}, {"scale", {1, 1, 1}}};
                 }),
                 "m.bit_depth: expected 8 for colours, got 16; 16 bits go with the colour_order grey"));
  CHECK(contains(refusal<ModelError>([] { check(graph_of<Net<3>>(), grey_spec(8), "m"); }),
                 "m.inputs.image: expected 1 channel for its role and the colour order grey, got 3"));
  ModelSpec rgb = grey_spec(8);
  rgb.colour_order = "rgb";
  CHECK(contains(refusal<ModelError>([&] { check(graph_of<Net<1>>(), rgb, "m"); }),
                 "m.inputs.image: expected 3 channels for its role and the colour order rgb, got 1"));
}

TEST_CASE("network file: an input of one channel is a grey image unless another one could be it") {
  const NetworkDescription grey = network_from_json(description("1", ""), "n.json");
  CHECK(grey.spec.colour_order == "grey");
  CHECK(grey.spec.bit_depth == 8);
  CHECK(grey.spec.normalisation == Normalisation{});
  REQUIRE(grey.spec.inputs.size() == 1);
  CHECK(grey.spec.inputs[0].role == InputRole::image);
  const ModelSpec depth = network_from_json(description("1", R"(, "meaning": {"bit_depth": 16})"), "n.json").spec;
  CHECK(depth.bit_depth == 16);
  CHECK(depth.normalisation == default_normalisation(16));
  const ModelSpec own =
      network_from_json(description("1", R"(, "meaning": {"bit_depth": 16, "normalisation": {"mean": [900]}})"), "n")
          .spec;
  CHECK(own.normalisation.mean[0] == 900);
  CHECK(own.normalisation.scale[0] == 1.0 / 4000);
  CHECK(network_from_json(description("3", ""), "n.json").spec.colour_order == "rgb");
  const auto refused = [](const Json& json) {
    return refusal<ModelError>([&] { static_cast<void>(network_from_json(json, "n.json")); });
  };
  CHECK(contains(refused(description("1", R"(, "meaning": {"colour_order": "rgb"})")), "got 1"));
  CHECK(contains(refused(description("3", R"(, "meaning": {"colour_order": "grey"})")), "got 3"));
  CHECK(contains(refused(description("3", R"(, "meaning": {"bit_depth": 16})")), "n.json.meaning.bit_depth"));
  // Its own JSON form describes the same network.
  const NetworkDescription back = network_from_json(network_to_json(grey), "back");
  CHECK(first_difference(back.graph, grey.graph) == "");
  CHECK(spec_to_json(back.spec) == spec_to_json(grey.spec));
}

}  // namespace grey_input_test
