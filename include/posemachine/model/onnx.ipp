// The definitions of model/onnx.hpp.
#pragma once

#include <posemachine/model/onnx.hpp>

#include <posemachine/base/files.hpp>
#include <posemachine/base/protobuf.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/graph/sizes.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <set>
#include <span>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// The field numbers of onnx.proto that are written here.
namespace onnx_field {
inline constexpr int model_ir_version = 1, model_producer = 2, model_graph = 7, model_opset = 8;
inline constexpr int opset_version = 2;
inline constexpr int graph_node = 1, graph_name = 2, graph_initializer = 5, graph_input = 11, graph_output = 12;
inline constexpr int node_input = 1, node_output = 2, node_name = 3, node_operator = 4, node_attribute = 5;
inline constexpr int attribute_name = 1, attribute_float = 2, attribute_integer = 3, attribute_text = 4,
                     attribute_integers = 8, attribute_type = 20;
inline constexpr int tensor_extent = 1, tensor_type = 2, tensor_name = 8, tensor_bytes = 9;
inline constexpr int value_name = 1, value_type = 2, type_tensor = 1, tensor_element = 1, tensor_shape = 2,
                     shape_extent = 1, extent_number = 1, extent_name = 2;
}  // namespace onnx_field

inline constexpr std::int64_t onnx_float = 1;  // TensorProto.DataType

class OnnxWriter {
 public:
  OnnxWriter(const Graph& graph, const std::vector<Tensor>& parameters, Size image)
      : graph_(graph), parameters_(parameters), sizes_(infer_sizes(graph, image)) {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      const int dst = graph.nodes[i].dst;
      if (dst < 0 || graph.values[static_cast<std::size_t>(dst)].type == DataType::f32) continue;
      fail<ModelError>({.where = describe(graph, static_cast<int>(i)),
                        .expected = "maps of type f32, for ONNX",
                        .got = std::string(name_of(graph.values[static_cast<std::size_t>(dst)].type))});
    }
    for (const Port& port : graph.inputs) taken_.insert(std::string(name_text(graph, port.name)));
    for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
      const std::string output = output_name(graph, i);
      if (taken_.insert(output).second) continue;
      fail<ModelError>({.where = "outputs." + output,
                        .expected = "a name that no input and no other output has, for ONNX",
                        .got = "\"" + output + "\" twice",
                        .remedy = "name the output otherwise"});
    }
    for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
      taken_.insert(parameter_name(graph, static_cast<int>(id)));
    }
    for (std::size_t id = 0; id < graph.values.size(); ++id) names_.push_back(free_name("value_" + std::to_string(id)));
  }

  std::string write(const std::string& network) {
    using namespace onnx_field;
    for (const Port& port : graph_.inputs) {
      name(port.value) = name_text(graph_, port.name);
      body_.message(graph_input, port_of(name(port.value), port.value));
    }
    std::set<int> taken;  // values that carry an output's name
    std::vector<std::pair<std::string, std::string>> repeated;
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
      const int value = graph_.outputs[i].value;
      const std::string output = output_name(graph_, i);
      const int producer = graph_.values[static_cast<std::size_t>(value)].producer;
      const bool is_input = graph_.nodes[static_cast<std::size_t>(producer)].op->kind() == OpKind::input;
      if (!is_input && taken.insert(value).second) {
        name(value) = output;
      } else {
        repeated.emplace_back(output, name(value));
      }
      body_.message(graph_output, port_of(output, value));
    }
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) write_node(static_cast<int>(i));
    for (const auto& [output, value] : repeated) write_operator("Identity", output, {value}, {output});
    body_.text(graph_name, network);

    ProtobufMessage opset;
    opset.integer(opset_version, 14);  // the first that has them all
    ProtobufMessage model;
    model.integer(model_ir_version, 7).text(model_producer, "posemachine").message(model_graph, body_);
    return model.message(model_opset, opset).bytes();
  }

 private:
  // A name that nothing else has.
  std::string free_name(std::string wanted) {
    while (!taken_.insert(wanted).second) wanted += '_';
    return wanted;
  }

  std::string& name(int value) { return names_[static_cast<std::size_t>(value)]; }

  static ProtobufMessage attribute(const std::string& name, std::int64_t value) {
    ProtobufMessage content;
    return content.text(onnx_field::attribute_name, name)
        .integer(onnx_field::attribute_integer, value)
        .integer(onnx_field::attribute_type, 2);
  }
  static ProtobufMessage attribute(const std::string& name, const std::vector<std::int64_t>& values) {
    ProtobufMessage content;
    content.text(onnx_field::attribute_name, name);
    for (const std::int64_t value : values) content.integer(onnx_field::attribute_integers, value);
    return content.integer(onnx_field::attribute_type, 7);
  }
  static ProtobufMessage real_attribute(const std::string& name, float value) {
    ProtobufMessage content;
    return content.text(onnx_field::attribute_name, name)
        .real(onnx_field::attribute_float, value)
        .integer(onnx_field::attribute_type, 1);
  }
  static ProtobufMessage text_attribute(const std::string& name, const std::string& value) {
    ProtobufMessage content;
    return content.text(onnx_field::attribute_name, name)
        .text(onnx_field::attribute_text, value)
        .integer(onnx_field::attribute_type, 3);
  }

  // Any number of images, one size.
  ProtobufMessage port_of(const std::string& name, int value) const {
    using namespace onnx_field;
    const Size size = sizes_[static_cast<std::size_t>(value)];
    ProtobufMessage shape, images;
    shape.message(shape_extent, images.text(extent_name, "N"));
    for (const int extent : {graph_.values[static_cast<std::size_t>(value)].channels, size.height, size.width}) {
      ProtobufMessage number;
      shape.message(shape_extent, number.integer(extent_number, extent));
    }
    ProtobufMessage tensor, type, port;
    tensor.integer(tensor_element, onnx_float).message(tensor_shape, shape);
    return port.text(value_name, name).message(value_type, type.message(type_tensor, tensor));
  }

  void write_operator(const std::string& type, const std::string& name, const std::vector<std::string>& inputs,
                      const std::vector<std::string>& outputs, const std::vector<ProtobufMessage>& attributes = {}) {
    using namespace onnx_field;
    ProtobufMessage node;
    for (const std::string& input : inputs) node.text(node_input, input);
    for (const std::string& output : outputs) node.text(node_output, output);
    node.text(node_name, name).text(node_operator, type);
    for (const ProtobufMessage& each : attributes) node.message(node_attribute, each);
    body_.message(graph_node, node);
  }

  void write_tensor(const std::string& name, const std::vector<std::int64_t>& extents, std::span<const float> values) {
    using namespace onnx_field;
    ProtobufMessage tensor;
    for (const std::int64_t extent : extents) tensor.integer(tensor_extent, extent);
    tensor.integer(tensor_type, onnx_float).text(tensor_name, name);
    // Little-endian, as every machine that this library runs on.
    const char* bytes = reinterpret_cast<const char*>(values.data());
    tensor.text(tensor_bytes, {bytes, values.size() * sizeof(float)});
    body_.message(graph_initializer, tensor);
  }

  // A parameter under its own name; written once, however many nodes share it.
  std::string write_parameter(const Node& node, int which, std::vector<std::int64_t> extents = {}) {
    const int id = parameter_id(graph_, node, which);
    const std::string name = parameter_name(graph_, id);
    const Tensor& tensor = parameters_[static_cast<std::size_t>(id)];
    if (extents.empty()) extents = tensor.shape;
    if (written_.insert(id).second) write_tensor(name, extents, tensor.values);
    return name;
  }

  // A node on its way into the file. Writers may add to `inputs`.
  struct Translation {
    const Node& node;
    int index = -1;
    std::string label;
    std::vector<std::string> inputs;
    std::string dst;
  };

  struct Row {
    const OpInfo* op = nullptr;
    void (OnnxWriter::*write)(Translation&) = nullptr;
  };
  // The operations that OpTraits::onnx does not cover.
  static constexpr std::array<Row, 15> rows() {
    return {Row{&convolution_op, &OnnxWriter::write_convolution},
            {&transposed_convolution_op, &OnnxWriter::write_transposed},
            {&max_pool_op, &OnnxWriter::write_max_pool},
            {&average_pool_op, &OnnxWriter::write_average_pool},
            {&softmax_op, &OnnxWriter::write_softmax},
            {&concat_op, &OnnxWriter::write_concat},
            {&add_op, &OnnxWriter::write_sum},
            {&dropout_op, &OnnxWriter::write_dropout},
            {&leaky_relu_op, &OnnxWriter::write_leaky_relu},
            {&silu_op, &OnnxWriter::write_silu},
            {&prelu_op, &OnnxWriter::write_prelu},
            {&batch_norm_op, &OnnxWriter::write_batch_norm},
            {&resize_nearest_op, &OnnxWriter::write_resize_nearest},
            {&resize_bilinear_op, &OnnxWriter::write_resize_bilinear},
            {&spatial_softmax_op, &OnnxWriter::write_spatial_softmax}};
  }

  void write_node(int index) {
    const Node& node = graph_.nodes[static_cast<std::size_t>(index)];
    if (node.op->kind() == OpKind::input) return;
    Translation text{node, index, "node_" + std::to_string(index) + "_" + std::string(node.op->name), {}, {}};
    for (int k = 0; k < node.inputs.count; ++k) text.inputs.push_back(name(input(graph_, node, k).id));
    if (node.dst >= 0) {
      text.dst = name(node.dst);
      if (!node.op->traits.onnx.empty()) return plain(std::string(node.op->traits.onnx), text);
      for (const Row& row : rows()) {
        if (row.op == node.op) return (this->*row.write)(text);
      }
    }
    fail<ModelError>({.where = describe(graph_, index),
                      .expected = "an operation that ONNX has",
                      .got = std::string(node.op->name) + " version " + std::to_string(node.op->version),
                      .remedy = "export a network without operations of your own"});
  }

  void plain(const std::string& type, const Translation& text, const std::vector<ProtobufMessage>& attributes = {}) {
    write_operator(type, text.label, text.inputs, {text.dst}, attributes);
  }

  void write_softmax(Translation& text) { plain("Softmax", text, {attribute("axis", 1)}); }
  void write_concat(Translation& text) { plain("Concat", text, {attribute("axis", 1)}); }
  void write_sum(Translation& text) {
    const std::string type = text.inputs.size() == 2 ? "Add" : "Sum";
    plain(type, text);
  }
  void write_dropout(Translation& text) { plain("Identity", text); }  // in inference

  void write_leaky_relu(Translation& text) {
    const auto alpha = static_cast<float>(slope(unpack<LeakyReluOptions>(text.node.options)));
    plain("LeakyRelu", text, {real_attribute("alpha", alpha)});
  }

  void write_silu(Translation& text) {
    const std::string gate = free_name(text.dst + "_sigmoid");
    write_operator("Sigmoid", text.label + "_sigmoid", text.inputs, {gate});
    text.inputs.push_back(gate);
    plain("Mul", text);
  }

  void write_prelu(Translation& text) {
    const std::int64_t channel_count = parameter(graph_, text.node, 0).size();
    text.inputs.push_back(write_parameter(text.node, 0, {channel_count, 1, 1}));
    plain("PRelu", text);
  }

  void write_batch_norm(Translation& text) {
    for (int which = 0; which < 4; ++which) text.inputs.push_back(write_parameter(text.node, which));
    const auto eps = static_cast<float>(epsilon(unpack<BatchNormOptions>(text.node.options)));
    plain("BatchNormalization", text, {real_attribute("epsilon", eps)});
  }

  void write_convolution(Translation& text) {
    const auto options = unpack<ConvolutionOptions>(text.node.options);
    for (int which = 0; which < text.node.parameters.count; ++which) {
      text.inputs.push_back(write_parameter(text.node, which));
    }
    const std::int64_t padding = options.padding;
    plain("Conv", text,
          {attribute("kernel_shape", {options.kernel, options.kernel}),
           attribute("strides", {options.stride, options.stride}),
           attribute("dilations", {options.dilation, options.dilation}),
           attribute("pads", {padding, padding, padding, padding}), attribute("group", options.groups)});
  }

  // ONNX has (in, out, height, width).
  void write_transposed(Translation& text) {
    const Node& node = text.node;
    const auto options = unpack<TransposedConvolutionOptions>(node.options);
    const Tensor& tensor = parameters_[static_cast<std::size_t>(parameter_id(graph_, node, 0))];
    const auto out = static_cast<std::size_t>(tensor.shape[0]);
    const auto in = static_cast<std::size_t>(tensor.shape[1]);
    const std::size_t taps = tensor.values.size() / (out * in);
    std::vector<float> turned(tensor.values.size());
    for (std::size_t o = 0; o < out; ++o) {
      for (std::size_t i = 0; i < in; ++i) {
        std::memcpy(&turned[(i * out + o) * taps], &tensor.values[(o * in + i) * taps], taps * sizeof(float));
      }
    }
    const std::string weights =
        free_name(parameter_name(graph_, parameter_id(graph_, node, 0)) + "_" + std::to_string(text.index));
    write_tensor(weights, {tensor.shape[1], tensor.shape[0], tensor.shape[2], tensor.shape[3]}, turned);
    text.inputs.push_back(weights);
    if (options.bias != 0) text.inputs.push_back(write_parameter(node, 1));
    const std::int64_t padding = options.padding;
    plain("ConvTranspose", text,
          {attribute("kernel_shape", {options.kernel, options.kernel}),
           attribute("strides", {options.stride, options.stride}),
           attribute("pads", {padding, padding, padding, padding}),
           attribute("output_padding", {options.output_padding, options.output_padding})});
  }

  // Padding at the end as the size needs it: runtimes disagree on ceil_mode's last window.
  std::vector<ProtobufMessage> pool_attributes(const Node& node) {
    const Window window = pool_window(node.options);
    const Size src = sizes_[static_cast<std::size_t>(input(graph_, node, 0).id)];
    const auto end = [&](int extent) {
      return std::int64_t{window.padding_end(extent) > 0 ? window.padding_end(extent) : 0};
    };
    return {attribute("kernel_shape", {window.kernel, window.kernel}),
            attribute("strides", {window.stride, window.stride}),
            attribute("pads", {window.padding, window.padding, end(src.height), end(src.width)})};
  }
  void write_max_pool(Translation& text) {
    const std::vector<ProtobufMessage> attributes = pool_attributes(text.node);
    plain("MaxPool", text, attributes);
  }
  void write_average_pool(Translation& text) {
    std::vector<ProtobufMessage> attributes = pool_attributes(text.node);
    attributes.push_back(attribute("count_include_pad", 0));
    plain("AveragePool", text, attributes);
  }

  // scale * exp(src - log(sum of exp(src))): ONNX's Softmax has one axis.
  void write_spatial_softmax(Translation& text) {
    const auto& [node, index, label, inputs, dst] = text;
    const auto factor = static_cast<float>(scale(unpack<SpatialSoftmaxOptions>(node.options)));
    const std::string sum = free_name(dst + "_log_sum");
    const std::string logarithm = free_name(dst + "_log");
    write_operator("ReduceLogSumExp", label + "_log_sum", inputs, {sum},
                   {attribute("axes", std::vector<std::int64_t>{2, 3}), attribute("keepdims", 1)});
    write_operator("Sub", label + "_log", {inputs[0], sum}, {logarithm});
    if (factor == 1.0F) return write_operator("Exp", label, {logarithm}, {dst});
    const std::string share = free_name(dst + "_share");
    const std::string constant = free_name(label + "_scale");
    write_operator("Exp", label + "_share", {logarithm}, {share});
    write_tensor(constant, {1}, std::array{factor});
    write_operator("Mul", label, {share, constant}, {dst});
  }

  void write_resize_nearest(Translation& text) {
    write_resize(text,
                 {text_attribute("mode", "nearest"), text_attribute("coordinate_transformation_mode", "asymmetric"),
                  text_attribute("nearest_mode", "floor")});
  }
  void write_resize_bilinear(Translation& text) {
    write_resize(text,
                 {text_attribute("mode", "linear"), text_attribute("coordinate_transformation_mode", "half_pixel")});
  }
  void write_resize(Translation& text, const std::vector<ProtobufMessage>& attributes) {
    const auto scale = static_cast<float>(unpack<ResizeOptions>(text.node.options).scale);
    const std::string scales = free_name(text.label + "_scales");
    write_tensor(scales, {4}, std::array{1.0F, 1.0F, scale, scale});
    text.inputs.insert(text.inputs.end(), {"", scales});
    plain("Resize", text, attributes);
  }

  const Graph& graph_;
  const std::vector<Tensor>& parameters_;
  std::vector<Size> sizes_;
  std::vector<std::string> names_;  // by value
  std::set<int> written_;
  std::set<std::string> taken_;  // every name in the graph
  ProtobufMessage body_;
};

POSEMACHINE_INLINE std::string graph_to_onnx(const Graph& graph, const std::vector<Tensor>& parameters, Size image,
                                             const std::string& network) {
  return OnnxWriter(graph, parameters, image).write(network);
}

}  // namespace detail

POSEMACHINE_INLINE std::string to_onnx(const Model& model, Size image) {
  return detail::graph_to_onnx(model.graph(), model.parameters(), image, model.network());
}

POSEMACHINE_INLINE void write_onnx(const Model& model, Size image, const std::filesystem::path& path) {
  const std::string bytes = to_onnx(model, image);
  if (bytes.size() > (std::size_t{1} << 31) - 1) {
    fail<ModelError>(
        {.where = path.string(), .expected = "at most 2 GiB", .got = std::to_string(bytes.size()) + " bytes"});
  }
  write_file_atomically(path, bytes);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
