// Networks that are fed several frames of a video: their graphs, files, descriptions, and weights begun with.
#include "refusal.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/compose.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/difference.hpp>
#include <posemachine/model/frames_input.hpp>
#include <posemachine/model/grey_input.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/named_network.hpp>
#include <posemachine/model/network_json.hpp>
#include <posemachine/model/onnx.hpp>
#include <posemachine/model/take_weights.hpp>
#include <posemachine/pose/model_spec_json.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace frames_input_test {

using namespace posemachine;
using test_environment::contains;
using test_environment::refusal;

namespace {

template <int Channels>
struct Net
    : Network<Input<"image", Channels>, ConvReLU<4, 3, Norm::batch>, PyramidStack<>, Conv<15, 1>, Output<"heatmaps">> {
};
struct Depthwise : Network<Input<"image", 3>, DepthwiseConv<3>, Conv<15, 1>, Output<"heatmaps">> {};

ModelSpec spec_of(std::vector<int> frames, const std::string& colour_order = "rgb") {
  ModelSpec spec;
  spec.input_height = spec.input_width = 32;
  spec.colour_order = colour_order;
  spec.frames = std::move(frames);
  return spec;
}

Json description(int channels, const std::string& spec) {
  return parse_json(R"({"network": "n", "layers": [{"Input": {"name": "image", "channels": )" +
                        std::to_string(channels) +
                        R"(}}, {"Conv": {"out": 15, "kernel": 3, "stride": 2}}, {"Output": "heatmaps"}])" + spec + "}",
                    "text");
}

Model model_of(std::vector<int> frames, bool grey, std::uint64_t seed) {
  NetworkDescription network{"net", graph_of<Net<3>>(), spec_of({0})};
  network = with_frames(std::move(network), std::move(frames));
  return Model::random(grey ? with_grey_input(std::move(network)) : std::move(network), seed);
}

const Tensor& first_weights(const Model& model) {
  REQUIRE(parameter_name(model.graph(), 0) == "Conv_1.weights");
  return model.parameters()[0];
}

// The first convolution's answer at one place, to pictures that are one number per frame and channel everywhere; in
// double, from the definition. Shapes: pictures (frames, channels).
double answer(const Model& model, std::size_t out, const std::vector<std::vector<double>>& pictures) {
  const Tensor& weights = first_weights(model);
  const auto window = static_cast<std::size_t>(weights.shape[2] * weights.shape[3]);
  const auto channels = static_cast<std::size_t>(weights.shape[1]);
  REQUIRE(channels == pictures.size() * pictures[0].size());
  double sum = 0;
  for (std::size_t c = 0; c < channels; ++c) {
    const double pixel = pictures[c / pictures[0].size()][c % pictures[0].size()];
    for (std::size_t i = 0; i < window; ++i) sum += pixel * double{weights.values[(out * channels + c) * window + i]};
  }
  return sum;
}

}  // namespace

TEST_CASE("with_frames: the graph is that of the type whose input has the channels of all frames") {
  const NetworkDescription one{"n", graph_of<Net<3>>(), spec_of({0})};
  const NetworkDescription three = with_frames(one, {-2, -1, 0});
  CHECK(first_difference(three.graph, graph_of<Net<9>>()) == "");
  CHECK(three.spec.frames == std::vector{-2, -1, 0});
  CHECK(image_channels(three.spec) == 3);
  CHECK(input_channels(three.spec) == 9);
  CHECK(first_difference(with_frames(three, {0}).graph, one.graph) == "");
  for (const NetworkDescription& both :
       {with_grey_input(three, 16), with_frames(with_grey_input(one, 16), {0, 1, 7})}) {
    CHECK(first_difference(both.graph, graph_of<Net<3>>()) == "");
    CHECK(input_channels(both.spec) == 3);
    CHECK(both.spec.normalisation == default_normalisation(16));
  }
  CHECK(contains(refusal<ModelError>([&] { with_frames(one, {-1}); }), "with_frames: frames: expected 0 among"));
  const NetworkDescription depthwise{"d", graph_of<Depthwise>(), spec_of({0})};
  CHECK_THROWS_AS(with_grey_input(with_frames(depthwise, {-1, 0})), ModelError);
}

TEST_CASE("with_frames: every named network") {
  for (const NamedNetwork& named : networks) {
    CAPTURE(named.name);
    NetworkDescription network = with_frames(description_of(named), {-1, 0});
    network.spec.heatmaps = output_names(network.graph);
    check(network.graph, network.spec, "meaning");
    CHECK(count_parameters(network.graph) > count_parameters(description_of(named).graph));
  }
}

TEST_CASE("model file: frames come back, and a file of one frame does not mention them") {
  const Model model = Model::random<Net<6>>(3, spec_of({-1, 0}));
  const Model back = Model::from_bytes(model.to_bytes(), "m");
  CHECK(back.spec().frames == std::vector{-1, 0});
  CHECK(back.to_bytes() == model.to_bytes());
  CHECK(spec_to_json(model.spec())["frames"] == Json::array({-1, 0}));
  CHECK(spec_to_json(model.spec())["normalisation"]["mean"].size() == 3);  // of one picture
  // The shape after "N": 6 x 32 x 32, each a message of one number.
  const std::string dims{"\x0a\x02\x08\x06\x0a\x02\x08\x20\x0a\x02\x08\x20"};
  CHECK(contains(to_onnx(model, {32, 32}), dims));

  const Model one = Model::random<Net<3>>(3, spec_of({0}));
  CHECK_FALSE(contains(one.to_bytes(), "frames"));
  Json said = spec_to_json(one.spec());
  said["frames"] = {0};
  const ModelSpec read = spec_from_json(said, "m");
  CHECK(read.frames == std::vector{0});
  CHECK_FALSE(spec_to_json(read).contains("frames"));
}

TEST_CASE("meaning: frames that cannot be are refused by their field, of a file as of a program") {
  const auto of_file = [](const std::string& frames) {
    Json json = spec_to_json(spec_of({0}));
    json["frames"] = parse_json(frames, "text");
    return refusal<ModelError>([&] { static_cast<void>(spec_from_json(json, "m")); });
  };
  CHECK(of_file("[-16, 0, 16]") == "");
  CHECK(of_file("[-7, -6, -5, -4, -3, -2, -1, 0]") == "");
  const std::string list = "m.frames: expected a list of 1 to 8 offsets from -16 to 16, got ";
  CHECK(of_file("0") == list + "0; as in [-2, -1, 0]");
  CHECK(contains(of_file(R"(["0"])"), list + R"(["0"])"));
  CHECK(contains(of_file("[-1.5, 0]"), list));
  CHECK(contains(of_file("[0, 18446744073709551615]"), list));
  CHECK(contains(of_file("[-8, -7, -6, -5, -4, -3, -2, -1, 0]"), list));
  const auto of_both = [&](std::vector<int> frames, const std::string& message) {
    CHECK(contains(of_file(Json(frames).dump()), message));
    CHECK(contains(refusal<ModelError>([&] { check(spec_of(frames), "m"); }), message));
  };
  of_both({}, "m.frames: expected 1 to 8 offsets, got 0; as in [-2, -1, 0]");
  of_both({-17, 0}, "m.frames: expected offsets from -16 to 16, got -17");
  of_both({0, 17}, "m.frames: expected offsets from -16 to 16, got 17");
  of_both({0, -1}, "m.frames: expected ascending offsets, each once, got 0, -1");
  of_both({-1, -1, 0}, "m.frames: expected ascending offsets, each once, got -1, -1, 0");
  of_both({-2, -1}, "m.frames: expected 0 among the offsets, the frame whose pose it is, got -2, -1");
  CHECK(contains(refusal<ModelError>([] { check(spec_of({-8, -7, -6, -5, -4, -3, -2, -1, 0}), "m"); }),
                 "m.frames: expected 1 to 8 offsets, got 9"));
}

TEST_CASE("meaning: the image input must have the channels of all frames") {
  CHECK(
      contains(refusal<ModelError>([] { check(graph_of<Net<3>>(), spec_of({-1, 0}), "m"); }),
               "m.inputs.image: expected 6 channels for its role, the colour order rgb and the 2 frames -1, 0, got 3"));
  CHECK(contains(
      refusal<ModelError>([] { check(graph_of<Net<3>>(), spec_of({-1, 0}, "grey"), "m"); }),
      "m.inputs.image: expected 2 channels for its role, the colour order grey and the 2 frames -1, 0, got 3"));
  CHECK(contains(refusal<ModelError>([] { check(graph_of<Net<6>>(), spec_of({0}), "m"); }),
                 "m.inputs.image: expected 3 channels for its role and the colour order rgb, got 6"));
}

TEST_CASE("network file: with frames an input of as many pictures is the image, in colours or grey") {
  const auto read = [](int channels, const std::string& spec) {
    return network_from_json(description(channels, spec), "n.json");
  };
  const NetworkDescription rgb = read(6, R"(, "meaning": {"frames": [-1, 0]})");
  CHECK(rgb.spec.colour_order == "rgb");
  REQUIRE(rgb.spec.inputs.size() == 1);
  CHECK(rgb.spec.inputs[0].name == "image");
  CHECK(read(2, R"(, "meaning": {"frames": [-1, 0]})").spec.colour_order == "grey");
  const ModelSpec depth = read(3, R"(, "meaning": {"frames": [-1, 0, 1], "bit_depth": 16})").spec;
  CHECK(depth.colour_order == "grey");
  CHECK(depth.frames == std::vector{-1, 0, 1});
  CHECK(depth.normalisation == default_normalisation(16));
  const auto refused = [&](int channels, const std::string& spec) {
    return refusal<ModelError>([&] { static_cast<void>(read(channels, spec)); });
  };
  CHECK(contains(refused(6, ""), "n.json.meaning.inputs: expected a role for each of the graph's 1 inputs, got 0"));
  CHECK(contains(refused(6, R"(, "meaning": {"frames": [-1]})"), "n.json.meaning.frames: expected 0 among"));
  CHECK(contains(refused(6, R"(, "meaning": {"frames": "all"})"), "n.json.meaning.frames: expected a list"));
  // Its own JSON form describes the same network.
  const NetworkDescription back = network_from_json(network_to_json(rgb), "back");
  CHECK(first_difference(back.graph, rgb.graph) == "");
  CHECK(spec_to_json(back.spec) == spec_to_json(rgb.spec));
}

TEST_CASE("take_weights: a network of one frame becomes one of several that looks at no other frame yet") {
  const std::vector<double> before{0.3, -0.7, 0.1}, now{0.2, 0.5, -0.4};
  const Model one = model_of({0}, false, 1);
  const TakenWeights begun = take_weights(model_of({-2, 0, 1}, false, 2), one);
  CHECK(begun.left.empty());
  CHECK(begun.model.spec().frames == std::vector{-2, 0, 1});
  const Model grey = model_of({0}, true, 1);
  const TakenWeights from_grey = take_weights(model_of({-1, 0}, false, 2), grey);
  const TakenWeights to_grey = take_weights(model_of({-1, 0}, true, 2), one);
  for (std::size_t out = 0; out < 4; ++out) {
    CHECK(answer(begun.model, out, {before, now, before}) == doctest::Approx(answer(one, out, {now})));
    CHECK(answer(from_grey.model, out, {before, {0.5, 0.5, 0.5}}) == doctest::Approx(answer(grey, out, {{0.5}})));
    CHECK(answer(to_grey.model, out, {{0.9}, {0.5}}) == doctest::Approx(answer(one, out, {{0.5, 0.5, 0.5}})));
  }
  for (std::size_t id = 1; id < one.parameters().size(); ++id) {
    CHECK(begun.model.parameters()[id].values == one.parameters()[id].values);
  }
}

TEST_CASE("take_weights: of other frames those in common keep their weights, and still pictures give the same") {
  const Model source = model_of({-2, -1, 0}, false, 1);
  const TakenWeights other = take_weights(model_of({-1, 0, 1}, false, 2), source);
  const TakenWeights one = take_weights(model_of({0}, false, 2), source);
  const std::vector<double> a{0.3, -0.7, 0.1}, b{0.2, 0.5, -0.4}, c{0.6, 0.1, 0.8};
  for (std::size_t out = 0; out < 4; ++out) {
    CHECK(answer(one.model, out, {a}) == doctest::Approx(answer(source, out, {a, a, a})));
    CHECK(answer(other.model, out, {a, b, c}) == doctest::Approx(answer(source, out, {b, a, b})));
  }
}

TEST_CASE("take_weights: three channels are three grey frames or one in colours, as the model file says") {
  const Model colours = model_of({0}, false, 1), frames = model_of({-2, -1, 0}, true, 2);
  REQUIRE(first_weights(colours).shape == first_weights(frames).shape);
  const TakenWeights begun = take_weights(frames, colours), back = take_weights(colours, frames);
  for (std::size_t out = 0; out < 4; ++out) {
    const double still = answer(colours, out, {{0.5, 0.5, 0.5}});
    CHECK(answer(begun.model, out, {{0.1}, {0.9}, {0.5}}) == doctest::Approx(still));
    CHECK(answer(back.model, out, {{0.5, 0.5, 0.5}}) == doctest::Approx(answer(frames, out, {{0.5}, {0.5}, {0.5}})));
  }
  // Without a model file, shapes that fit are taken as they are; others are of one picture.
  const TensorFile file = parse_safetensors(colours.to_bytes(), "m");
  CHECK(first_weights(take_weights(frames, file, "m").model).values == first_weights(colours).values);
  const Model two = take_weights(model_of({-1, 0}, false, 2), file, "m").model;
  const TensorFile six = parse_safetensors(two.to_bytes(), "m");
  CHECK(take_weights(colours, six, "m").left.front() ==
        "Conv_1.weights (of shape (4, 6, 3, 3) there, (4, 3, 3, 3) here)");
  for (std::size_t out = 0; out < 4; ++out) {
    CHECK(answer(two, out, {{1, 1, 1}, {0.2, 0.5, 0.3}}) == doctest::Approx(answer(colours, out, {{0.2, 0.5, 0.3}})));
  }
}

}  // namespace frames_input_test
