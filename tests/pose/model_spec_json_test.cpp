// The JSON form of a meaning, and meanings that do not fit their graph.
#include <posemachine/base/json.hpp>
#include <posemachine/compose.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/network_json.hpp>
#include <posemachine/pose/model_spec_json.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <functional>
#include <string>

namespace spec_json_test {

using namespace posemachine;

namespace {

struct Two : Network<Input<"image", 3>, Input<"centre", 1>, Concat<From<"image">, From<"centre">>,
                     Conv<8, 3, ConvolutionOptions{.stride = 2}>, Conv<15, 1>, Output<"heatmaps">> {};
struct Global : Network<Input<"image", 3>, GlobalAveragePool, Conv<15, 1>, Output<"heatmaps">> {};
// The kernel needs 21 pixels, more than the multiple of 2 that the stride asks for.
struct Wide
    : Network<Input<"image", 3>, Conv<15, 21, ConvolutionOptions{.stride = 2, .padding = 0}>, Output<"heatmaps">> {};

ModelSpec example() {
  ModelSpec spec;
  spec.inputs = {{"centre", InputRole::centre_gaussian, 21}, {"image", InputRole::image, 0}};
  spec.input_height = 64;
  spec.input_width = 96;
  spec.colour_order = "bgr";
  spec.normalisation = {{123.5, 116, 103}, {0.5, 0.25, 1.0 / 3}};
  spec.crop = {1.3, 0.9};
  spec.sigma_px = 2.5;
  spec.decoder = {"arg_max", true};
  return spec;
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const ModelError& error) {
    return error.what();
  }
  return "taken";
}

std::string refusal(const std::function<void(Json&)>& change) {
  Json json = spec_to_json(example());
  change(json);
  return message_of([&] { static_cast<void>(spec_from_json(json, "m")); });
}

template <class Net>
std::string misfit(const std::function<void(ModelSpec&)>& change) {
  ModelSpec spec = example();
  change(spec);
  return message_of([&] { check(graph_of<Net>(), spec, "m"); });
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("meaning JSON: every field comes back from the text") {
  const ModelSpec spec = example();
  const ModelSpec back = spec_from_json(parse_json(spec_to_json(spec).dump(), "text"), "m");
  CHECK(back.inputs == spec.inputs);
  CHECK(back.heatmaps == spec.heatmaps);
  CHECK(back.joints == spec.joints);
  CHECK(back.input_height == 64);
  CHECK(back.input_width == 96);
  CHECK(back.colour_order == "bgr");
  CHECK(back.normalisation == spec.normalisation);
  CHECK(back.crop == spec.crop);
  CHECK(back.sigma_px == 2.5);
  CHECK(back.decoder == spec.decoder);
}

TEST_CASE("meaning JSON: a calibration comes back to the bit; without one the text is what it always was") {
  ModelSpec spec = example();
  CHECK_FALSE(spec_to_json(spec).contains("calibration"));
  spec.calibration = Calibration{.metric = "pck@0.1:box", .half = 1.0 / 3, .slope = 2.7, .person = 0.4, .joints = 1400};
  const ModelSpec back = spec_from_json(parse_json(spec_to_json(spec).dump(), "text"), "m");
  CHECK(back.calibration == spec.calibration);
  const auto refused = [&](const char* key, const Json& value) {
    return refusal([&](Json& json) {
      json["calibration"] = calibration_to_json(*spec.calibration);
      json["calibration"][key] = value;
    });
  };
  CHECK(contains(refused("half", 0), "m.calibration.half: expected a number from 1e-06 to 1e+06, got 0"));
  CHECK(contains(refused("slope", -1), "m.calibration.slope: expected a number from 0.001 to 50, got -1"));
  CHECK(contains(refused("person", 1.5), "m.calibration.person: expected a number from 0 to 1, got 1.5"));
  CHECK(contains(refused("slope", "steep"), "m.calibration.slope"));
  CHECK(contains(refused("metric", 5), "m.calibration.metric"));
  CHECK(contains(refused("joints", 0.5), "m.calibration.joints"));
  CHECK(contains(refused("offset", 1), "offset"));
  CHECK(contains(refusal([](Json& json) { json["calibration"] = nullptr; }), "m.calibration"));
}

TEST_CASE("Model: a calibration belongs to weights: fresh ones and descriptions have none") {
  const Model model = Model::random("two", graph_of<Two>(), 1, example());
  const Calibration calibration{.half = 0.4, .slope = 2};
  const Model calibrated = model.with_calibration(calibration);
  CHECK(Model::from_bytes(calibrated.to_bytes(), "m").spec().calibration == calibration);
  CHECK(calibrated.with_calibration({}).to_bytes() == model.to_bytes());
  CHECK_FALSE(Model::random("two", graph_of<Two>(), 1, calibrated.spec()).spec().calibration.has_value());
  Json description = network_to_json({"two", calibrated.graph(), calibrated.spec()});
  CHECK_FALSE(description["meaning"].contains("calibration"));
  description["meaning"]["calibration"] = calibration_to_json(calibration);
  CHECK(contains(message_of([&] { static_cast<void>(network_from_json(description, "net")); }),
                 "net.meaning: expected what holds for any weights, got a calibration"));
}

TEST_CASE("meaning JSON: decoders of the first kinds are written as they always were, the others by name") {
  const auto text = [](const Decoder& decoder) {
    ModelSpec spec = example();
    spec.decoder = decoder;
    const Json json = spec_to_json(spec);
    CHECK(spec_from_json(parse_json(json.dump(), "text"), "m").decoder == decoder);
    return json["decoder"].dump();
  };
  CHECK(text({"quarter_offset", false}) == R"({"quarter_offset":true,"flip_average":false})");
  CHECK(text({"arg_max", true}) == R"({"quarter_offset":false,"flip_average":true})");
  CHECK(text({"taylor", true}) == R"({"kind":"taylor","flip_average":true})");
  CHECK(text({"local_mean", false}) == R"({"kind":"local_mean","flip_average":false})");
}

TEST_CASE("meaning JSON: a decoder is read by either spelling, and refused without one or with both") {
  const auto kind = [](const char* decoder) {
    Json json = spec_to_json(example());
    json["decoder"] = parse_json(decoder, "text");
    return spec_from_json(json, "m").decoder.kind;
  };
  CHECK(kind(R"({"quarter_offset": true, "flip_average": true})") == "quarter_offset");
  CHECK(kind(R"({"quarter_offset": false, "flip_average": true})") == "arg_max");
  CHECK(kind(R"({"flip_average": true, "kind": "taylor"})") == "taylor");
  CHECK(kind(R"({"flip_average": true, "kind": "arg_max"})") == "arg_max");
  CHECK(kind(R"({"flip_average": true, "kind": "of a user's own"})") == "of a user's own");  // Estimator asks for it
  const auto refused = [](const char* decoder) {
    return refusal([decoder](Json& m) { m["decoder"] = parse_json(decoder, "text"); });
  };
  CHECK(contains(refused(R"({"flip_average": true})"), "m.decoder.quarter_offset"));
  CHECK(contains(refused(R"({"quarter_offset": 1, "flip_average": true})"), "m.decoder.quarter_offset"));
  CHECK(contains(refused(R"({"quarter_offset": true, "kind": "taylor", "flip_average": true})"),
                 "m.decoder: expected one of kind and quarter_offset, got both"));
  CHECK(contains(refused(R"({"kind": "", "flip_average": true})"), "m.decoder.kind: expected a name of 1 to 64 bytes"));
  const std::string longer(65, 'x');
  CHECK(contains(refused((R"({"flip_average": true, "kind": ")" + longer + "\"}").c_str()), "got 65 bytes"));
  CHECK(contains(refused(R"({"kind": 2, "flip_average": true})"), "m.decoder.kind: expected a string"));
  CHECK(contains(refused(R"({"kind": "taylor"})"), "m.decoder.flip_average"));
}

TEST_CASE("Model: with_meaning is the same network decoded otherwise, and a meaning that does not fit is refused") {
  const Model model = Model::random<Two>(1, example());
  ModelSpec spec = model.spec();
  spec.decoder.kind = "taylor";
  const Model other = Model::from_bytes(model.with_note("training", "a").with_spec(spec).to_bytes(), "file");
  CHECK(other.spec().decoder == Decoder{"taylor", true});
  CHECK(other.notes().at("training") == "a");
  CHECK(other.parameters()[0].values == model.parameters()[0].values);
  spec.input_height = 63;
  CHECK_THROWS_AS(static_cast<void>(model.with_spec(spec)), ModelError);
}

TEST_CASE("meaning JSON: unknown keys are refused at every level") {
  REQUIRE(refusal([](Json&) {}) == "taken");
  CHECK(contains(refusal([](Json& m) { m["zoom"] = 1; }), "m.zoom: expected a known key"));
  CHECK(contains(refusal([](Json& m) { m["inputs"][0]["zoom"] = 1; }), "m.inputs.zoom"));
  CHECK(contains(refusal([](Json& m) { m["crop"]["zoom"] = 1; }), "m.crop.zoom"));
  CHECK(contains(refusal([](Json& m) { m["decoder"]["zoom"] = 1; }), "m.decoder.zoom"));
  CHECK(contains(refusal([](Json& m) { m["normalisation"]["zoom"] = 1; }), "m.normalisation.zoom"));
  CHECK(contains(refusal([](Json& m) { m["joint_set"]["limbs"][0]["zoom"] = 1; }), "m.joint_set.limbs.zoom"));
  CHECK(contains(refusal([](Json& m) { m["joint_set"]["groups"][0]["zoom"] = 1; }), "m.joint_set.groups.zoom"));
  CHECK(contains(refusal([](Json& m) { m["joint_set"]["sticks"][0]["zoom"] = 1; }), "m.joint_set.sticks.zoom"));
}

TEST_CASE("meaning JSON: a normalisation that hides the picture or leaves the range of a float is refused") {
  CHECK(contains(refusal([](Json& m) { m["normalisation"]["scale"][1] = 0; }), "m.normalisation.scale"));
  CHECK(contains(refusal([](Json& m) { m["normalisation"]["scale"][1] = -1; }), "m.normalisation.scale"));
  CHECK(contains(refusal([](Json& m) { m["normalisation"]["mean"][2] = 1e300; }), "m.normalisation.mean"));
  CHECK(contains(refusal([](Json& m) { m["normalisation"]["mean"][2] = "1"; }), "m.normalisation.mean"));
}

TEST_CASE("check: a broken joint set is refused by the name of the file it stands in") {
  CHECK(contains(refusal([](Json& m) { m["joint_set"]["pairs"][0] = m["joint_set"]["pairs"][1]; }),
                 "m.joint_set: joint set lsp: pairs"));
  CHECK(contains(misfit<Two>([](ModelSpec& m) { m.joints.torso[0] = 99; }), "m.joint_set: joint set lsp: torso"));
}

TEST_CASE("check: inputs, outputs and sizes must be the graph's") {
  REQUIRE(misfit<Two>([](ModelSpec&) {}) == "taken");
  CHECK(contains(misfit<Two>([](ModelSpec& m) { m.inputs[1] = m.inputs[0]; }),
                 "m.inputs: expected every input once, got centre"));
  CHECK(contains(misfit<Two>([](ModelSpec& m) { m.inputs.pop_back(); }), "the graph's 2 inputs, got 1"));
  CHECK(contains(misfit<Two>([](ModelSpec& m) { m.inputs[0].role = InputRole::image; }),
                 "m.inputs.centre: expected 3 channels"));
  CHECK(contains(misfit<Two>([](ModelSpec& m) { m.heatmaps = {"maps"}; }), "in order, heatmaps, got maps"));
  CHECK(contains(misfit<Two>([](ModelSpec& m) { m.joints.joints.push_back("tail"); }),
                 "m.heatmaps.heatmaps: expected 16 maps"));
  CHECK(contains(misfit<Two>([](ModelSpec& m) { m.input_height = 63; }), "m.input_height: expected a multiple of 2"));
  CHECK(contains(misfit<Two>([](ModelSpec& m) { m.input_width = 0; }),
                 "m.input_width: expected a number from 8 to 8192, got 0"));
  const auto only_image = [](ModelSpec& m) { m.inputs = {{"image", InputRole::image, 0}}; };
  CHECK(contains(misfit<Global>(only_image), "m.heatmaps.heatmaps: expected maps, got a global value"));
  CHECK(contains(misfit<Wide>(only_image),  // its borders eat cells: joints would be decoded in the wrong place
                 "m.heatmaps.heatmaps: expected maps of the input's size by their stride, 32 x 48, got 22 x 38"));
  CHECK(contains(misfit<Wide>([&](ModelSpec& m) {
                   only_image(m);
                   m.input_height = 20;
                 }),
                 "m.input_height: node 1 (convolution in Conv_1)"));
}

TEST_CASE("Model: notes cannot take the place of the model's own metadata") {
  const Model model = Model::random<Two>(1, example());
  CHECK(model.with_note("training", "a").notes().at("training") == "a");
  CHECK_THROWS_AS(static_cast<void>(model.with_note("posemachine.graph", "{}")), UsageError);
}

TEST_CASE("check: what a file may not say a program may not either, so that every model can be read back") {
  const auto both = [](const std::string& field, const std::function<void(ModelSpec&)>& change) {
    CAPTURE(field);
    CHECK(contains(misfit<Two>(change), "m." + field));
    ModelSpec spec = example();
    change(spec);
    const Json json = spec_to_json(spec);
    CHECK(contains(message_of([&] { static_cast<void>(spec_from_json(json, "m")); }), "m." + field));
    CHECK_THROWS_AS(Model::random<Two>(1, spec), ModelError);
  };
  both("crop.box_context: expected a number from 0.1 to 10, got 11", [](ModelSpec& m) { m.crop.box_context = 11; });
  both("crop.image_scale", [](ModelSpec& m) { m.crop.image_scale = -1; });
  both("sigma_px", [](ModelSpec& m) { m.sigma_px = 0; });
  both("inputs.centre.sigma_px", [](ModelSpec& m) { m.inputs[0].sigma_px = 1e5; });
  both("input_width", [](ModelSpec& m) { m.input_width = 8200; });
  both("colour_order: expected rgb, bgr or grey, got grb", [](ModelSpec& m) { m.colour_order = "grb"; });
  both("normalisation.scale", [](ModelSpec& m) { m.normalisation.scale[2] = 0; });
  both("joint_set: joint set lsp: joint 3: expected a name of 1 to 200 bytes, got 300",
       [](ModelSpec& m) { m.joints.joints[3] = std::string(300, 'x'); });
  CHECK(contains(misfit<Two>([](ModelSpec& m) { m.joints.limbs.resize(5000); }),
                 "m.joint_set: joint set lsp: limbs: expected at most 4096, got 5000"));
  ModelSpec nan = example();
  nan.sigma_px = std::nan("");
  CHECK_THROWS_AS(Model::random<Two>(1, nan), ModelError);
}

TEST_CASE("meaning JSON: lists of a hostile file are bounded before their names are looked up") {
  CHECK(contains(refusal([](Json& m) {
                   for (int i = 0; i < 2000; ++i) m["joint_set"]["joints"].push_back("joint" + std::to_string(i));
                 }),
                 "m.joint_set.joints: expected at most 1024 members, got 2014"));
  CHECK(contains(refusal([](Json& m) { m["joint_set"]["groups"][0]["joints"] = Json::array_t(2000, "neck"); }),
                 "m.joint_set.groups.joints: expected at most 1024 members, got 2000"));
  CHECK(contains(refusal([](Json& m) { m["joint_set"]["pairs"] = Json::array_t(5000, Json::array()); }),
                 "m.joint_set.pairs: expected at most 4096 members, got 5000"));
}

}  // namespace spec_json_test
