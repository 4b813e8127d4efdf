// Model files: round trips, structures compared, and every field checked.
#include <posemachine/base/json.hpp>
#include <posemachine/compose.hpp>
#include <posemachine/graph/custom_op.hpp>
#include <posemachine/graph/difference.hpp>
#include <posemachine/model/initialise.hpp>
#include <posemachine/model/model.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <type_traits>
#include <variant>
#include <vector>

namespace model_test {

using namespace posemachine;

namespace {

struct Body : Sequential<Conv<8, 3, ConvolutionOptions{.stride = 2}>, BatchNorm<>, ReLU, SEGate<2>> {};
struct Net : Network<Input<"image", 3>, Body, Conv<15, 1>, Output<"heatmaps">, DilationModule<1, 2>, Conv<15, 1>,
                     Output<"heatmaps">> {};
struct Wider
    : Network<Input<"image", 3>, Conv<9, 3, ConvolutionOptions{.stride = 2}>, Conv<15, 1>, Output<"heatmaps">> {};

ModelSpec small_spec() {
  ModelSpec spec;
  spec.input_height = 32;
  spec.input_width = 48;
  spec.sigma_px = 3.5;
  spec.decoder.flip_average = true;
  spec.crop.image_scale = 1.1;
  return spec;
}

Model small_model() { return Model::random<Net>(7, small_spec()); }

// The file of a model with its graph's JSON changed.
std::string changed_graph(const std::function<void(Json&)>& change) {
  TensorFile file = parse_safetensors(small_model().to_bytes(), "m");
  Json graph = parse_json(file.metadata["posemachine.graph"], "graph");
  change(graph);
  file.metadata["posemachine.graph"] = graph.dump();
  return write_safetensors(file);
}

std::string changed_spec(const std::function<void(Json&)>& change) {
  TensorFile file = parse_safetensors(small_model().to_bytes(), "m");
  Json spec = parse_json(file.metadata["posemachine.meaning"], "meaning");
  change(spec);
  file.metadata["posemachine.meaning"] = spec.dump();
  return write_safetensors(file);
}

std::string message_of(const std::string& bytes) {
  try {
    static_cast<void>(Model::from_bytes(bytes, "net.safetensors"));
  } catch (const ModelError& error) {
    return error.what();
  }
  return "accepted";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("Model: a file read without the type gives the same graph, weights and meaning, and the same bytes again") {
  const Model model = small_model().with_note("author", "test");
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "posemachine_model_test.safetensors";
  model.save(file);
  const Model read = Model::load(file);
  std::filesystem::remove(file);
  CHECK(read.network() == "Net");
  CHECK(first_difference(read.graph(), graph_of<Net>()) == "");
  REQUIRE(read.parameters().size() == model.parameters().size());
  for (std::size_t id = 0; id < read.parameters().size(); ++id) {
    CHECK(read.parameters()[id].values == model.parameters()[id].values);
    CHECK(parameter_name(read.graph(), static_cast<int>(id)) == parameter_name(model.graph(), static_cast<int>(id)));
  }
  CHECK(read.spec().joints == lsp_joints());
  CHECK(read.spec().input_width == 48);
  CHECK(read.spec().crop.image_scale == 1.1);
  CHECK(read.spec().decoder.flip_average);
  CHECK(read.spec().heatmaps == std::vector<std::string>{"heatmaps_stage_1", "heatmaps"});
  CHECK(read.notes().at("author") == "test");
  CHECK(read.to_bytes() == model.to_bytes());
}

TEST_CASE("Model: descriptions of nodes are the same for a graph built from types and one read from a file") {
  const Model model = small_model();
  const Model read = Model::from_bytes(model.to_bytes(), "m");
  for (std::size_t i = 0; i < model.graph().nodes.size(); ++i) {
    CHECK(describe(read.graph(), static_cast<int>(i)) == describe(model.graph(), static_cast<int>(i)));
  }
}

TEST_CASE("Model: equal seeds give equal weights, other seeds others; biases start at 0, scales at 1") {
  CHECK(Model::random<Net>(7, small_spec()).to_bytes() == small_model().to_bytes());
  CHECK(Model::random<Net>(8, small_spec()).to_bytes() != small_model().to_bytes());
  const Model model = small_model();
  for (std::size_t id = 0; id < model.parameters().size(); ++id) {
    const std::string name = parameter_name(model.graph(), static_cast<int>(id));
    if (name.ends_with("bias")) CHECK(model.parameters()[id].values.front() == 0.0f);
    if (name.ends_with("scale") || name.ends_with("variance")) CHECK(model.parameters()[id].values.front() == 1.0f);
  }
}

TEST_CASE("Model: random weights are drawn when they are asked for first, once for all that share them") {
  const Model model = small_model();
  const Model copy = model;
  ModelSpec spec = model.spec();
  spec.decoder.flip_average = false;
  const Model other = model.with_spec(spec).with_note("by", "hand");
  std::vector<const std::vector<Tensor>*> seen(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    threads.emplace_back([&, i] { seen[i] = i % 2 == 0 ? &copy.parameters() : &other.parameters(); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<Tensor>* each : seen) CHECK(each == &model.parameters());
  CHECK(model.shared_parameters().get() == &model.parameters());
  const std::vector<Tensor> drawn = initialise(model.graph(), 7);
  REQUIRE(model.parameters().size() == drawn.size());
  for (std::size_t id = 0; id < drawn.size(); ++id) CHECK(model.parameters()[id].values == drawn[id].values);
  // 260 GiB of weights that nobody asks for.
  Graph graph;
  Value value = add_input(graph, "image", 3);
  for (int i = 0; i < 16; ++i) value = convolution(graph, value, {.out = 65'000, .kernel = 1});
  add_output(graph, "heatmaps", convolution(graph, value, {.out = 15, .kernel = 1}));
  const Model large = Model::random("large", graph, 1, small_spec());
  CHECK(count_parameters(large.graph()) > 60'000'000'000);
}

TEST_CASE("Model: loading into another type names the first difference") {
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "posemachine_other_test.safetensors";
  small_model().save(file);
  std::string text;
  try {
    static_cast<void>(Model::load_as<Wider>(file));
  } catch (const ModelError& error) {
    text = error.what();
  }
  std::filesystem::remove(file);
  CHECK(contains(text, "Wider"));
  CHECK(contains(text, "Body_1.Conv_1.weights"));
}

TEST_CASE("first_difference: options, operations, inputs, counts and names, each in words") {
  struct A : Network<Input<"image", 3>, Conv<4, 3>, ReLU, Output<"maps">> {};
  struct B : Network<Input<"image", 3>, Conv<4, 3, ConvolutionOptions{.dilation = 2}>, ReLU, Output<"maps">> {};
  struct C : Network<Input<"image", 3>, Conv<4, 3>, Sigmoid, Output<"maps">> {};
  struct D : Network<Input<"image", 3>, Conv<4, 3>, ReLU, ReLU, Output<"maps">> {};
  struct E : Network<Input<"image", 3>, Conv<4, 3>, ReLU, Output<"other">> {};
  const auto difference = [](const Graph& other) { return first_difference(graph_of<A>(), other); };
  CHECK(difference(graph_of<A>()) == "");
  CHECK(contains(difference(graph_of<B>()), "dilation: 1 and 2"));
  CHECK(contains(difference(graph_of<C>()), "relu and sigmoid"));
  CHECK(contains(difference(graph_of<D>()), "number of nodes: 3 and 4"));
  CHECK(contains(difference(graph_of<E>()), "maps and other"));
}

TEST_CASE("Model: wrong tensors are refused with the name of the first one") {
  TensorFile file = parse_safetensors(small_model().to_bytes(), "m");
  SUBCASE("missing") {
    file.tensors.erase(file.tensors.begin());
    CHECK(contains(message_of(write_safetensors(file)), "Body_1.Conv_1.weights"));
  }
  SUBCASE("extra") {
    file.tensors.push_back({"stray", Tensor({2})});
    CHECK(contains(message_of(write_safetensors(file)), "stray"));
  }
  SUBCASE("transposed") {
    std::get<Tensor>(file.tensors.front().tensor).shape = {3, 8, 3, 3};
    const std::string text = message_of(write_safetensors(file));
    CHECK(contains(text, "(8, 3, 3, 3)"));
    CHECK(contains(text, "(3, 8, 3, 3)"));
  }
  SUBCASE("a variance below 0") {
    for (NamedTensor& entry : file.tensors) {
      if (entry.name.ends_with(".variance")) std::get<Tensor>(entry.tensor).values.back() = -1e-3f;
    }
    CHECK(contains(message_of(write_safetensors(file)), "variance: expected variances of at least 0, got -0.001"));
  }
  SUBCASE("no graph at all") {
    file.metadata.clear();
    CHECK(contains(message_of(write_safetensors(file)), "no posemachine network"));
  }
  SUBCASE("a newer format") {
    file.metadata["posemachine.format"] = "2";
    CHECK(contains(message_of(write_safetensors(file)), "posemachine.format"));
  }
}

TEST_CASE("Model: weights stored as bf16 or f16 take half the bytes, are floats again, and are written as they were") {
  const Model full = small_model();
  for (const DataType type : {DataType::bf16, DataType::f16}) {
    const Model narrow = full.with_weights_stored_as(type);
    const std::string bytes = narrow.to_bytes();
    const TensorFile file = parse_safetensors(bytes, "m");
    const Model back = Model::from_bytes(bytes, "m");
    CHECK(back.to_bytes() == bytes);
    CHECK(back.with_spec(back.spec()).to_bytes() == bytes);
    for (std::size_t id = 0; id < full.parameters().size(); ++id) {
      const bool is_vector = full.graph().parameters[id].rank == 1;
      CHECK(type_of(file.tensors[id].tensor) == (is_vector ? DataType::f32 : type));
      const std::vector<float>& exact = full.parameters()[id].values;
      const std::vector<float>& rounded = back.parameters()[id].values;
      CHECK(rounded == narrow.parameters()[id].values);
      CHECK(rounded == to_floats(from_floats(full.parameters()[id], is_vector ? DataType::f32 : type)).values);
      CHECK((rounded == exact) == is_vector);
      const double step = is_vector ? 0 : type == DataType::bf16 ? 0x1p-8 : 0x1p-11;  // half a unit in the last place
      for (std::size_t i = 0; i < exact.size(); ++i) {
        REQUIRE(std::abs(double{rounded[i]} - double{exact[i]}) <= step * std::abs(double{exact[i]}) + 0x1p-25);
      }
    }
    CHECK(bytes.size() < full.to_bytes().size());
    // Weights that were trained further are not rounded, and full floats come back as such.
    CHECK(parse_safetensors(back.with_parameters(back.parameters()).to_bytes(), "m").tensors[0].tensor.index() == 0);
    CHECK(back.with_weights_stored_as(DataType::f32).parameters()[0].values == back.parameters()[0].values);
  }
  CHECK_THROWS_AS(full.with_weights_stored_as(DataType::s8), UsageError);
  std::vector<Tensor> large = full.parameters();
  large[0].values[5] = 70000;
  CHECK_THROWS_WITH_AS(full.with_parameters(large).with_weights_stored_as(DataType::f16),
                       "Body_1.Conv_1.weights: expected weights in the range of f16, got 70000.000000 at element 5; "
                       "store them as f32",
                       ModelError);
  CHECK(full.with_parameters(large).with_weights_stored_as(DataType::bf16).parameters()[0].values[5] == 70144);
}

namespace {

// A factor per channel that is kept as an integer: nothing computes with it yet.
constexpr CustomKernels scaled_kernels{.forward = [](const ForwardCall&) {}};
constexpr OpInfo scaled_op{.name = "scaled_by_integers", .kernels = &scaled_kernels};

template <DataType Type>
struct ScaledByIntegers {
  static constexpr Value lower(Graph& graph, Value src) {
    const int factors = add_parameter(graph, "factors", {channels(graph, src), 1, 1, 1}, 1, Init::ones, 1, true, Type);
    return add_node(graph, scaled_op, {}, {src}, {factors});
  }
};

template <DataType Type>
struct Quantised : Network<Input<"image", 3>, Conv<15, 1>, ScaledByIntegers<Type>, Output<"heatmaps">> {};

}  // namespace

TEST_CASE("Model: parameters of other types are kept to the bit; who computes with floats is told node and name") {
  const OpSet ops{&scaled_op};
  const auto check = [&]<DataType Type>(std::integral_constant<DataType, Type>) {
    Model model = Model::random<Quantised<Type>>(1, small_spec());
    CHECK(!model.graph().parameters[2].trainable);  // only floats are trained
    std::vector<AnyTensor> tensors;
    for (int id = 0; id < 3; ++id) tensors.push_back(model.stored_parameter(id));
    REQUIRE(type_of(tensors[2]) == Type);
    CHECK(to_floats(tensors[2]).values == std::vector<float>(15, 1));
    std::visit([](auto& each) { each.values[3] = {}; }, tensors[2]);
    if (auto* const sums = std::get_if<TensorOf<std::int32_t>>(&tensors[2])) sums->values[4] = 16'777'217;  // no float
    const Model changed(model.network(), model.graph(), tensors, small_spec());
    const std::string bytes = changed.to_bytes();
    const Model back = Model::from_bytes(bytes, "m", ops);
    CHECK(back.to_bytes() == bytes);
    CHECK(back.stored_parameter(2) == tensors[2]);
    CHECK(first_difference(back.graph(), model.graph()) == "");
    const std::string type(name_of(Type));
    CHECK(contains(bytes, R"(\"trainable\":false,\"type\":\")" + type + R"(\"})"));
    CHECK_THROWS_WITH_AS(back.parameters(),
                         ("node 2 (scaled_by_integers in ScaledByIntegers_1): expected parameters of type f32, to "
                          "compute with, got ScaledByIntegers_1.factors of type " +
                          type)
                             .c_str(),
                         ModelError);
    TensorFile file = parse_safetensors(bytes, "m");
    file.tensors[2].tensor = Tensor({15}, 1.0f);
    CHECK_THROWS_WITH_AS(Model::from_bytes(write_safetensors(file), "m", ops),
                         ("m: ScaledByIntegers_1.factors: expected type " + type + ", got f32").c_str(), ModelError);
  };
  check(std::integral_constant<DataType, DataType::s8>{});
  check(std::integral_constant<DataType, DataType::u8>{});
  check(std::integral_constant<DataType, DataType::s32>{});
  check(std::integral_constant<DataType, DataType::bf16>{});
  check(std::integral_constant<DataType, DataType::f16>{});
  TensorFile file = parse_safetensors(small_model().to_bytes(), "m");
  file.tensors[0].tensor = zeros(DataType::s8, shape_of(file.tensors[0].tensor));
  CHECK(message_of(write_safetensors(file)) ==
        "net.safetensors: Body_1.Conv_1.weights: expected type f32, or bf16 or f16 that become it, got s8");
}

TEST_CASE("first_difference: parameters and inputs of other types are told apart") {
  CHECK(first_difference(graph_of<Quantised<DataType::s8>>(), graph_of<Quantised<DataType::s8>>()) == "");
  CHECK(first_difference(graph_of<Quantised<DataType::s8>>(), graph_of<Quantised<DataType::u8>>()) ==
        "type of ScaledByIntegers_1.factors: s8 and u8");
  struct Bytes : Network<Input<"image", 3, DataType::u8>, ReLU, Output<"heatmaps">> {};
  struct Floats : Network<Input<"image", 3>, ReLU, Output<"heatmaps">> {};
  CHECK(first_difference(graph_of<Bytes>(), graph_of<Floats>()) == "node 0 (input), type: 4 and 0");
}

TEST_CASE("graph JSON: every broken field is refused by name") {
  struct Case {
    const char* expected;
    std::function<void(Json&)> change;
  };
  const Case cases[] = {
      {"unknown", [](Json& g) { g["extra"] = 1; }},
      {"nodes[1].op", [](Json& g) { g["nodes"][1]["op"] = "convolutoin"; }},
      {"did you mean \"convolution\"", [](Json& g) { g["nodes"][1]["op"] = "convolutoin"; }},
      {"nodes[1].op", [](Json& g) { g["nodes"][1]["version"] = 9; }},
      {"nodes[1].options.kernel", [](Json& g) { g["nodes"][1]["options"]["kernel"] = 1 << 30; }},
      {"nodes[1].options.kernel", [](Json& g) { g["nodes"][1]["options"].erase("kernel"); }},
      {"nodes[1].options.kernel", [](Json& g) { g["nodes"][1]["options"]["kernel"] = "3"; }},
      {"nodes[1].inputs", [](Json& g) { g["nodes"][1]["inputs"][0] = 1; }},
      {"nodes[1].inputs", [](Json& g) { g["nodes"][1]["inputs"][0] = -1; }},
      {"nodes[1]", [](Json& g) { g["nodes"][1]["inputs"] = Json::array(); }},
      {"nodes[1].parameters", [](Json& g) { g["nodes"][1]["parameters"][0] = 4000; }},
      {"nodes[1]", [](Json& g) { g["nodes"][1]["parameters"].erase(0); }},
      {"parameters[0].shape", [](Json& g) { g["parameters"][0]["shape"][0] = 4000000000u; }},
      {"parameters[0].shape", [](Json& g) { g["parameters"][0]["shape"] = {65536, 65536, 63, 63}; }},
      {"parameters[0].shape", [](Json& g) { g["parameters"][0]["shape"] = Json::array(); }},
      {"parameters[0].init", [](Json& g) { g["parameters"][0]["init"] = "chaos"; }},
      {"parameters[1].name", [](Json& g) { g["parameters"][1]["name"] = g["parameters"][0]["name"]; }},
      {"outputs[0].value", [](Json& g) { g["outputs"][0]["value"] = 100000; }},
      {"inputs[0].value", [](Json& g) { g["inputs"][0]["value"] = 1; }},
      {"outputs", [](Json& g) { g["outputs"] = Json::array(); }},
      {"nodes", [](Json& g) { g["nodes"] = 3; }},
  };
  for (const Case& each : cases) {
    const std::string text = message_of(changed_graph(each.change));
    CHECK_MESSAGE(contains(text, each.expected), text);
    CHECK_MESSAGE(contains(text, "net.safetensors"), text);
  }
}

TEST_CASE("meaning JSON: every broken field is refused by name") {
  struct Case {
    const char* expected;
    std::function<void(Json&)> change;
  };
  const Case cases[] = {
      {"input_height", [](Json& m) { m["input_height"] = 0; }},
      {"input_width", [](Json& m) { m["input_width"] = 1; }},
      {"colour_order", [](Json& m) { m["colour_order"] = "grb"; }},
      {"normalisation.mean", [](Json& m) { m["normalisation"]["mean"] = {1, 2}; }},
      {"crop.image_scale", [](Json& m) { m["crop"]["image_scale"] = -1; }},
      {"decoder.flip_average", [](Json& m) { m["decoder"]["flip_average"] = 1; }},
      {"pairs", [](Json& m) { m["joint_set"]["pairs"][0][0] = "left_ankel"; }},
      {"did you mean \"left_ankle\"", [](Json& m) { m["joint_set"]["pairs"][0][0] = "left_ankel"; }},
      {"heatmaps", [](Json& m) { m["heatmaps"][0] = "other"; }},
      {"inputs", [](Json& m) { m["inputs"][0]["name"] = "picture"; }},
      {"role", [](Json& m) { m["inputs"][0]["role"] = "sound"; }},
      {"15", [](Json& m) { m["joint_set"]["joints"].push_back("tail"); }},
  };
  for (const Case& each : cases) {
    const std::string text = message_of(changed_spec(each.change));
    CHECK_MESSAGE(contains(text, each.expected), text);
    CHECK_MESSAGE(contains(text, "net.safetensors"), text);
  }
}

}  // namespace model_test
