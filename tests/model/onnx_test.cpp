// ONNX files, read back by a reader that knows only the encoding and the field numbers of onnx.proto.
// That runtimes compute the same from them is what benchmarks/peers/run checks.
#include "engine/custom_ops.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/model/initialise.hpp>
#include <posemachine/model/named_network.hpp>
#include <posemachine/model/onnx.hpp>
#include <posemachine/networks/registry.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace onnx_test {

using namespace posemachine;

namespace {

// The fields of a message: numbers as they are, texts and messages as bytes.
struct Field {
  int number = 0;
  std::uint64_t value = 0;
  std::string bytes;
};

std::vector<Field> fields_of(std::string_view text) {
  std::vector<Field> fields;
  std::size_t at = 0;
  const auto varint = [&] {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(text.at(at++));
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < text.size()) {
    const std::uint64_t tag = varint();
    Field field{static_cast<int>(tag >> 3), 0, ""};
    if ((tag & 7) == 0) {
      field.value = varint();
    } else if ((tag & 7) == 5) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, text.substr(at, 4).data(), 4);
      field.value = bits;
      at += 4;
    } else {
      REQUIRE((tag & 7) == 2);
      const std::size_t size = varint();
      REQUIRE(size <= text.size() - at);
      field.bytes = text.substr(at, size);
      at += size;
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

std::vector<Field> all_of(const std::vector<Field>& fields, int number) {
  std::vector<Field> found;
  std::copy_if(fields.begin(), fields.end(), std::back_inserter(found),
               [&](const Field& f) { return f.number == number; });
  return found;
}

struct OnnxNode {
  std::string type;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::map<std::string, std::vector<std::int64_t>> integers;
  std::map<std::string, float> reals;
  std::map<std::string, std::string> texts;
};

struct OnnxTensor {
  std::vector<std::int64_t> extents;
  std::vector<float> values;
};

struct OnnxFile {
  std::vector<OnnxNode> nodes;
  std::map<std::string, OnnxTensor> tensors;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  int opset = 0;

  explicit OnnxFile(const std::string& bytes) {
    const std::vector<Field> model = fields_of(bytes);
    opset = static_cast<int>(fields_of(all_of(model, 8).at(0).bytes).at(0).value);
    const std::vector<Field> graph = fields_of(all_of(model, 7).at(0).bytes);
    for (const Field& field : all_of(graph, 11)) inputs.push_back(fields_of(field.bytes).at(0).bytes);
    for (const Field& field : all_of(graph, 12)) outputs.push_back(fields_of(field.bytes).at(0).bytes);
    for (const Field& field : all_of(graph, 1)) nodes.push_back(node_of(fields_of(field.bytes)));
    for (const Field& field : all_of(graph, 5)) {
      const std::vector<Field> parts = fields_of(field.bytes);
      OnnxTensor tensor;
      for (const Field& extent : all_of(parts, 1)) tensor.extents.push_back(static_cast<std::int64_t>(extent.value));
      CHECK(all_of(parts, 2).at(0).value == 1);  // float
      const std::string raw = all_of(parts, 9).at(0).bytes;
      tensor.values.resize(raw.size() / sizeof(float));
      std::memcpy(tensor.values.data(), raw.data(), raw.size());
      const bool added = tensors.emplace(all_of(parts, 8).at(0).bytes, tensor).second;
      CHECK(added);
    }
  }

  const OnnxNode& only(const std::string& type) const {
    const OnnxNode* found = nullptr;
    for (const OnnxNode& node : nodes) {
      if (node.type != type) continue;
      CHECK(found == nullptr);
      found = &node;
    }
    REQUIRE_MESSAGE(found != nullptr, type);
    return *found;
  }

 private:
  static OnnxNode node_of(const std::vector<Field>& fields) {
    OnnxNode node;
    for (const Field& field : all_of(fields, 1)) node.inputs.push_back(field.bytes);
    for (const Field& field : all_of(fields, 2)) node.outputs.push_back(field.bytes);
    node.type = all_of(fields, 4).at(0).bytes;
    for (const Field& field : all_of(fields, 5)) {
      const std::vector<Field> parts = fields_of(field.bytes);
      const std::string name = all_of(parts, 1).at(0).bytes;
      const std::uint64_t type = all_of(parts, 20).at(0).value;
      if (type == 1) node.reals[name] = std::bit_cast<float>(static_cast<std::uint32_t>(all_of(parts, 2).at(0).value));
      if (type == 3) node.texts[name] = all_of(parts, 4).at(0).bytes;
      if (type == 2 || type == 7) {
        for (const Field& number : all_of(parts, type == 2 ? 3 : 8)) {
          node.integers[name].push_back(static_cast<std::int64_t>(number.value));
        }
      }
    }
    return node;
  }
};

OnnxFile exported(const Graph& graph, Size image = {12, 12}) {
  return OnnxFile(detail::graph_to_onnx(graph, initialise(graph, 3), image, "net"));
}

using Integers = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("to_onnx: a model's inputs, outputs and weights keep their names, and every node finds what it reads") {
  for (const NamedNetwork& network : networks) {
    if (network.name.starts_with("cpm")) continue;  // 16 million weights say no more
    const Model model = Model::random(description_of(network), 1);
    const OnnxFile file(to_onnx(model, network.input));
    CHECK(file.opset == 14);
    CHECK(file.inputs == std::vector<std::string>{"image"});
    REQUIRE(file.outputs.size() == model.graph().outputs.size());
    std::vector<std::string> known = file.inputs;
    for (const auto& [name, tensor] : file.tensors) known.push_back(name);
    for (const OnnxNode& node : file.nodes) {
      for (const std::string& name : node.inputs) {
        const bool there = name.empty() || std::find(known.begin(), known.end(), name) != known.end();
        CHECK_MESSAGE(there, name);
      }
      known.insert(known.end(), node.outputs.begin(), node.outputs.end());
    }
    for (std::size_t i = 0; i < file.outputs.size(); ++i) {
      CHECK(file.outputs[i] == output_name(model.graph(), i));
      CHECK(std::count(known.begin(), known.end(), file.outputs[i]) == 1);
    }
    const int first = parameter_id(model.graph(), model.graph().nodes[1], 0);
    const std::string name = parameter_name(model.graph(), first);
    REQUIRE(file.tensors.contains(name));
    CHECK(file.tensors.at(name).values == model.parameters()[static_cast<std::size_t>(first)].values);
    CHECK(file.tensors.at(name).extents == model.parameters()[static_cast<std::size_t>(first)].shape);
  }
}

TEST_CASE("to_onnx: options of windows become attributes") {
  Graph graph;
  const Value image = add_input(graph, "image", 4);
  const Value convolved =
      convolution(graph, image, {.out = 6, .kernel = 3, .stride = 2, .dilation = 2, .padding = 1, .groups = 2});
  add_output(graph, "maps", convolved);
  const OnnxNode conv = exported(graph).only("Conv");
  CHECK(conv.integers.at("kernel_shape") == Integers{3, 3});
  CHECK(conv.integers.at("strides") == Integers{2, 2});
  CHECK(conv.integers.at("dilations") == Integers{2, 2});
  CHECK(conv.integers.at("pads") == Integers{1, 1, 1, 1});
  CHECK(conv.integers.at("group") == Integers{2});
  CHECK(conv.inputs == std::vector<std::string>{"image", "Conv_1.weights", "Conv_1.bias"});
  CHECK(conv.outputs == std::vector<std::string>{"maps"});

  // 12 cells, windows of 3 every 2: from 0 the sixth reaches one cell over the border, from -1 the seventh two. Rounded
  // down neither is there, and no window reads padding at the end.
  for (const std::int32_t ceil : {0, 1}) {
    Graph pools;
    const Value src = add_input(pools, "image", 4);
    add_output(pools, "largest", max_pool(pools, src, {.window = 3, .stride = 2, .ceil = ceil}));
    add_output(pools, "mean", average_pool(pools, src, {.window = 3, .stride = 2, .padding = 1, .ceil = ceil}));
    const OnnxFile file = exported(pools);
    CHECK(file.only("MaxPool").integers.at("pads") == Integers{0, 0, ceil, ceil});
    CHECK(file.only("AveragePool").integers.at("pads") == Integers{1, 1, 2 * ceil, 2 * ceil});
    CHECK(file.only("AveragePool").integers.at("count_include_pad") == Integers{0});
    CHECK_FALSE(file.only("MaxPool").integers.contains("ceil_mode"));
  }
}

TEST_CASE("to_onnx: a transposed convolution's weights are turned, (out, in) to (in, out)") {
  Graph graph;
  const Value image = add_input(graph, "image", 2);
  add_output(graph, "maps", transposed_convolution(graph, image, {.out = 3, .kernel = 2, .stride = 2, .padding = 0}));
  const std::vector<Tensor> parameters = initialise(graph, 3);
  const OnnxFile file(detail::graph_to_onnx(graph, parameters, {5, 5}, "net"));
  const OnnxNode& node = file.only("ConvTranspose");
  const OnnxTensor& weights = file.tensors.at(node.inputs.at(1));
  CHECK(weights.extents == Integers{2, 3, 2, 2});
  for (std::size_t out = 0; out < 3; ++out) {
    for (std::size_t in = 0; in < 2; ++in) {
      for (std::size_t tap = 0; tap < 4; ++tap) {
        CHECK(weights.values[(in * 3 + out) * 4 + tap] == parameters[0].values[(out * 2 + in) * 4 + tap]);
      }
    }
  }
}

TEST_CASE("to_onnx: an operation whose traits name one of ONNX becomes that one") {
  int named = 0;
  for (const OpInfo* op : forward_ops) {
    if (op->traits.onnx.empty() || op->min_inputs != 1) continue;
    ++named;
    Graph graph;
    add_output(graph, "maps", add_node(graph, *op, {}, {add_input(graph, "image", 4)}));
    CHECK(exported(graph).only(std::string(op->traits.onnx)).inputs.size() == 1);
  }
  CHECK(named >= 4);
}

TEST_CASE("to_onnx: activations, norms and resizes carry their numbers; dropout is nothing") {
  Graph graph;
  Value value = add_input(graph, "image", 4);
  value = leaky_relu(graph, value, {.slope_millionths = 250'000});
  value = prelu(graph, batch_norm(graph, value, {.epsilon_billionths = 10'000'000}));
  value = dropout(graph, softmax(graph, sigmoid(graph, value)), {.percent = 50});
  const Value up = resize_bilinear(graph, resize_nearest(graph, value, {.scale = 2}), {.scale = 3});
  add_output(graph, "maps", silu(graph, up));
  const OnnxFile file = exported(graph);
  CHECK(file.only("LeakyRelu").reals.at("alpha") == 0.25F);
  CHECK(file.only("BatchNormalization").reals.at("epsilon") == 0.01F);
  CHECK(file.only("BatchNormalization").inputs.size() == 5);
  CHECK(file.tensors.at(file.only("PRelu").inputs.at(1)).extents == Integers{4, 1, 1});
  CHECK(file.only("Softmax").integers.at("axis") == Integers{1});
  CHECK(file.only("Identity").inputs.size() == 1);
  std::vector<std::string> modes;
  for (const OnnxNode& node : file.nodes) {
    if (node.type != "Resize") continue;
    modes.push_back(node.texts.at("mode") + " " + node.texts.at("coordinate_transformation_mode"));
    const float scale = modes.size() == 1 ? 2.0F : 3.0F;
    CHECK(file.tensors.at(node.inputs.at(2)).values == std::vector<float>{1, 1, scale, scale});
  }
  CHECK(modes == std::vector<std::string>{"nearest asymmetric", "linear half_pixel"});
  CHECK(file.only("Mul").inputs.size() == 2);  // silu
}

TEST_CASE("to_onnx: a spatial softmax is the exponential of differences, scaled where it says so") {
  Graph graph;
  const Value image = add_input(graph, "image", 4);
  add_output(graph, "maps", spatial_softmax(graph, image));
  const OnnxFile file = exported(graph);
  CHECK(file.only("ReduceLogSumExp").integers.at("axes") == Integers{2, 3});
  CHECK(file.only("ReduceLogSumExp").integers.at("keepdims") == Integers{1});
  CHECK(file.only("Sub").inputs == std::vector<std::string>{"image", file.only("ReduceLogSumExp").outputs.at(0)});
  CHECK(file.only("Exp").outputs == std::vector<std::string>{"maps"});
  CHECK(file.nodes.size() == 3);

  Graph scaled;
  add_output(scaled, "maps", spatial_softmax(scaled, add_input(scaled, "image", 4), {.scale_percent = 1925}));
  const OnnxFile times = exported(scaled);
  CHECK(times.only("Mul").outputs == std::vector<std::string>{"maps"});
  CHECK(times.tensors.at(times.only("Mul").inputs.at(1)).values == std::vector<float>{19.25F});
}

TEST_CASE("to_onnx: shared parameters stand once, and a value that is two outputs has both names") {
  Graph graph;
  Value value = add_input(graph, "image", 4);
  const auto block = [](Graph& g, Value src) { return convolution(g, src, {.out = 4}); };
  for (int use = 0; use < 2; ++use) value = lower_shared(graph, "shared", block, value);
  add_output(graph, "first", value);
  add_output(graph, "second", value);
  const OnnxFile file = exported(graph);
  CHECK(file.tensors.size() == 2);
  CHECK(file.nodes.size() == 3);
  CHECK(file.only("Identity").inputs == std::vector<std::string>{"first"});
  CHECK(file.only("Identity").outputs == std::vector<std::string>{"second"});
}

TEST_CASE("to_onnx: an operation of a user's own is refused by its name and place") {
  Graph graph;
  const Value image = add_input(graph, "image", 4);
  add_output(graph, "maps", custom_ops::slopes<custom_ops::prelu_op>(graph, image));
  CHECK_THROWS_WITH_AS(exported(graph), doctest::Contains("expected an operation that ONNX has"), ModelError);
}

TEST_CASE("to_onnx: an operation of a user's own that says what ONNX calls it is written so") {
  Graph graph;
  const Value image = add_input(graph, "image", 4);
  add_output(graph, "maps", add_node(graph, custom_ops::softsign_op, {}, {image}));
  CHECK(exported(graph).only("Softsign").inputs == std::vector<std::string>{"image"});
}

TEST_CASE("to_onnx: every name stands for one thing, whatever inputs, outputs and blocks are called") {
  Graph graph;
  const Value image = add_input(graph, "image", 4);
  const Value first = convolution(graph, image, {.out = 4});
  const Value bent = silu(graph, relu(graph, first));
  add_output(graph, "value_1", bent);
  add_output(graph, "value_1_sigmoid", silu(graph, bent));
  const OnnxFile file = exported(graph);
  std::vector<std::string> made = file.inputs;
  for (const auto& [name, tensor] : file.tensors) made.push_back(name);
  for (const OnnxNode& node : file.nodes) made.insert(made.end(), node.outputs.begin(), node.outputs.end());
  std::sort(made.begin(), made.end());
  CHECK(std::adjacent_find(made.begin(), made.end()) == made.end());

  Graph same;
  add_output(same, "image", relu(same, add_input(same, "image", 4)));
  CHECK_THROWS_WITH_AS(exported(same), doctest::Contains("outputs.image"), ModelError);
}

}  // namespace onnx_test
