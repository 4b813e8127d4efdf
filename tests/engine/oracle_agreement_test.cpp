// Executions against the oracle: every operation. Random networks: tests/random_networks.
#include "engine/agreement.hpp"

#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/ops.hpp>
#include <posemachine/graph/ops.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace oracle_agreement_test {

using namespace posemachine;
using namespace posemachine::schedule;
using namespace posemachine::engine;
using engine_test::check_forward;
using engine_test::check_gradients;
using engine_test::forward_tolerance;

namespace {

// How many numbers a node adds up for one of its dst.
double terms(const Graph& graph, const Node& node, int batch, Size src) {
  if (node.op->multiply_adds != nullptr) return static_cast<double>(node.op->multiply_adds(graph, node));
  const Window window = node.op->geometry(node.options);
  const double cells = static_cast<double>(src.height) * src.width;
  if (node.op == &batch_norm_op) return batch * cells;
  return window.global ? cells : static_cast<double>(window.kernel) * window.kernel * std::max(1, node.inputs.count);
}

// Each of n additions rounds by at most 2^-24 of the sum so far, up or down: together some sqrt(n) of it, 4 times that
// to be safe; 8 more roundings for functions and divisions.
double operation_tolerance(const Graph& graph, int batch, Size image) {
  const std::vector<Size> sizes = infer_sizes(graph, image);
  double sum = 0;
  for (const Node& node : graph.nodes) {
    if (node.inputs.count == 0) continue;
    const Size src = sizes[static_cast<std::size_t>(input(graph, node, 0).id)];
    sum += 8 + 4 * std::sqrt(terms(graph, node, batch, src));
  }
  return std::min(forward_tolerance, sum * 0x1p-24);
}

struct Sizes {
  int batch;
  Size image;
};

using Build = std::function<Value(Graph&, Value)>;

void check_operation(const std::string& name, int channel_count, const Build& build, const std::vector<Sizes>& sizes) {
  Graph graph;
  const Value src = add_input(graph, "image", channel_count);
  add_output(graph, "out", build(graph, src));
  for (const auto& [batch, image] : sizes) {
    const std::string what =
        name + " " + std::to_string(channel_count) + " channels, " + std::to_string(batch) + " x " + to_string(image);
    const double tolerance = operation_tolerance(graph, batch, image);
    check_forward(graph, batch, image, {}, what, tolerance);
    ProgramOptions training;
    training.mode = Mode::training;
    check_forward(graph, batch, image, training, what + ", training", tolerance);
    bool checked = false;
    for (std::uint64_t seed = 12; !checked && seed < 16; ++seed) {
      checked = check_gradients(graph, batch, image, {}, what, seed);
    }
    CHECK_MESSAGE(checked, what << " is always near a kink");
  }
}

const std::vector<Sizes> awkward{{1, {7, 13}}, {3, {5, 5}}, {2, {16, 11}}};

}  // namespace

TEST_CASE("engine: every operation of the graph has an entry") {
  for (const OpInfo* op : forward_ops) CHECK_MESSAGE(library_kernels().find(*op) != nullptr, std::string(op->name));
  for (const OpInfo* op : backward_ops) CHECK_MESSAGE(library_kernels().find(*op) != nullptr, std::string(op->name));
}

TEST_CASE("engine: convolutions of odd channels, kernels, strides and dilations equal the oracle") {
  const auto check = [](int channel_count, const ConvolutionOptions& options, const std::vector<Sizes>& sizes) {
    const std::string name = "convolution kernel " + std::to_string(options.kernel) + " stride " +
                             std::to_string(options.stride) + " dilation " + std::to_string(options.dilation) + " to " +
                             std::to_string(options.out);
    check_operation(name, channel_count, [&](Graph& g, Value v) { return convolution(g, v, options); }, sizes);
  };
  for (const int channel_count : {1, 3, 15, 17, 32}) {
    check(channel_count, {.out = 1, .kernel = 1}, awkward);
    check(channel_count, {.out = 17, .kernel = 1, .stride = 3}, awkward);
    check(channel_count, {.out = 17, .kernel = 3, .stride = 2, .bias = 0}, awkward);
    check(channel_count, {.out = 16, .kernel = 2, .stride = 2, .padding = 0}, awkward);
    check(channel_count, {.out = 32, .kernel = 5}, awkward);
    check(channel_count, {.out = 15, .kernel = 3, .padding = 4}, awkward);  // windows that see only padding
  }
  for (const int channel_count : {1, 16, 17}) {
    for (const int dilation : {1, 2, 3, 4}) {
      for (const int stride : {1, 2}) {
        check(channel_count, {.out = 15, .kernel = 3, .stride = stride, .dilation = dilation},
              {{1, {9, 7}}, {3, {5, 11}}});
      }
    }
  }
  const std::vector<Sizes> smaller_than_kernel{{1, {1, 1}}, {3, {2, 1}}, {1, {1, 17}}};
  for (const int channel_count : {1, 3, 17}) {
    check(channel_count, {.out = 5, .kernel = 3}, smaller_than_kernel);
    check(channel_count, {.out = 16, .kernel = 7, .stride = 2}, smaller_than_kernel);
  }
}

TEST_CASE("engine: pooling with padding and ceil, also over the border, equals the oracle") {
  for (const int channel_count : {1, 15, 16, 17}) {
    for (const PoolingOptions& options :
         {PoolingOptions{.window = 2}, PoolingOptions{.window = 3, .stride = 2, .padding = 1},
          PoolingOptions{.window = 3, .stride = 2, .padding = 0, .ceil = 1},
          PoolingOptions{.window = 3, .stride = 1, .padding = 2},
          PoolingOptions{.window = 2, .stride = 3, .padding = 1, .ceil = 1},
          PoolingOptions{.window = 5, .stride = 1}}) {
      const std::string name = std::to_string(options.window) + " stride " + std::to_string(options.stride) +
                               " padding " + std::to_string(options.padding) + (options.ceil != 0 ? " ceil" : "");
      check_operation(
          "max_pool " + name, channel_count, [&](Graph& g, Value v) { return max_pool(g, v, options); }, awkward);
      check_operation(
          "average_pool " + name, channel_count, [&](Graph& g, Value v) { return average_pool(g, v, options); },
          awkward);
    }
    check_operation(
        "padded max_pool", channel_count,
        [](Graph& g, Value v) { return max_pool(g, v, {.window = 3, .stride = 2, .padding = 1, .ceil = 1}); },
        {{1, {1, 1}}, {3, {2, 1}}});
  }
}

TEST_CASE("engine: means of maps and gates equal the oracle, of a single cell too") {
  std::vector<Sizes> sizes = awkward;
  sizes.push_back({3, {1, 1}});
  for (const int channel_count : {1, 15, 16, 17}) {
    check_operation(
        "global_average_pool", channel_count, [](Graph& g, Value v) { return global_average_pool(g, v); }, sizes);
    check_operation(
        "gate", channel_count,
        [](Graph& g, Value v) { return channel_scale(g, v, sigmoid(g, global_average_pool(g, v))); }, sizes);
    check_operation(
        "gate of a gate", channel_count,
        [](Graph& g, Value v) {
          const Value gate = global_average_pool(g, v);
          return channel_scale(g, v, channel_scale(g, gate, sigmoid(g, gate)));
        },
        sizes);
  }
}

TEST_CASE("engine: activations, batch norm, dropout, sums and ragged concats equal the oracle") {
  for (const int channel_count : {1, 15, 16, 17, 33}) {
    check_operation("relu", channel_count, [](Graph& g, Value v) { return relu(g, relu(g, v)); }, awkward);
    check_operation("sigmoid", channel_count, [](Graph& g, Value v) { return sigmoid(g, v); }, awkward);
    check_operation("batch_norm", channel_count, [](Graph& g, Value v) { return relu(g, batch_norm(g, v)); }, awkward);
    check_operation(
        "dropout", channel_count, [](Graph& g, Value v) { return dropout(g, sigmoid(g, v), {.percent = 30}); },
        awkward);
    check_operation(
        "add", channel_count, [](Graph& g, Value v) { return add(g, std::array{v, sigmoid(g, v), relu(g, v)}); },
        awkward);
    check_operation(
        "concat", channel_count,
        [](Graph& g, Value v) {
          const Value a = convolution(g, v, {.out = 15, .kernel = 1});
          const Value b = convolution(g, v, {.out = 32, .kernel = 3});
          const Value inner = concat(g, {b, a});
          return convolution(g, concat(g, {a, inner, v, b}), {.out = 3, .kernel = 1});
        },
        awkward);
  }
}

TEST_CASE("engine: convolutions in groups, a channel each among them, equal the oracle") {
  const auto check = [](int channel_count, const ConvolutionOptions& options, const std::vector<Sizes>& sizes) {
    check_operation(
        "convolution of " + std::to_string(options.groups) + " groups to " + std::to_string(options.out), channel_count,
        [&](Graph& g, Value v) { return convolution(g, v, options); }, sizes);
  };
  for (const int channel_count : {3, 15, 16, 17, 32}) {
    check(channel_count, {.out = channel_count, .kernel = 3, .groups = channel_count}, awkward);
    check(channel_count, {.out = channel_count, .kernel = 5, .stride = 2, .bias = 0, .groups = channel_count}, awkward);
    check(channel_count, {.out = 2 * channel_count, .kernel = 3, .dilation = 2, .groups = channel_count}, awkward);
  }
  for (const int groups : {2, 3, 6}) check(18, {.out = 24, .kernel = 3, .groups = groups}, awkward);
  for (const int groups : {2, 4}) check(64, {.out = 64, .kernel = 1, .groups = groups}, awkward);
}

TEST_CASE("engine: transposed convolutions equal the oracle") {
  for (const int channel_count : {1, 15, 16, 17, 32}) {
    for (const TransposedConvolutionOptions& options :
         {TransposedConvolutionOptions{.out = 16},
          TransposedConvolutionOptions{.out = 17, .kernel = 3, .output_padding = 1},
          TransposedConvolutionOptions{.out = 1, .kernel = 2, .padding = 0, .bias = 0},
          TransposedConvolutionOptions{.out = 5, .kernel = 5, .stride = 3, .padding = 2, .output_padding = 2},
          TransposedConvolutionOptions{.out = 8, .kernel = 3, .stride = 1, .padding = 0}}) {
      check_operation(
          "transposed_convolution kernel " + std::to_string(options.kernel) + " to " + std::to_string(options.out),
          channel_count, [&](Graph& g, Value v) { return transposed_convolution(g, v, options); },
          {{1, {5, 7}}, {3, {4, 9}}, {2, {1, 2}}});
    }
  }
}

TEST_CASE("engine: resizes, softmaxes and the activations beyond relu equal the oracle") {
  std::vector<Sizes> sizes = awkward;
  sizes.push_back({3, {1, 1}});
  for (const int channel_count : {1, 15, 16, 17, 33}) {
    for (const int scale : {2, 3, 4}) {
      check_operation(
          "resize_nearest " + std::to_string(scale), channel_count,
          [&](Graph& g, Value v) { return resize_nearest(g, v, {.scale = scale}); }, sizes);
      check_operation(
          "resize_bilinear " + std::to_string(scale), channel_count,
          [&](Graph& g, Value v) { return resize_bilinear(g, v, {.scale = scale}); }, sizes);
    }
    const auto wide = [](Graph& g, Value v) { return convolution(g, v, {.out = channels(g, v)}); };  // beyond -1 to 1
    check_operation("softmax", channel_count, [&](Graph& g, Value v) { return softmax(g, wide(g, v)); }, sizes);
    check_operation(
        "spatial_softmax", channel_count,
        [&](Graph& g, Value v) { return spatial_softmax(g, wide(g, v), {.scale_percent = 1900}); }, sizes);
    check_operation("leaky_relu", channel_count, [&](Graph& g, Value v) { return leaky_relu(g, wide(g, v)); }, sizes);
    for (const OpInfo* op : forward_ops) {
      if (op->kind() != OpKind::activation) continue;
      const auto apply = [&](Graph& g, Value v) { return add_node(g, *op, {}, {wide(g, v)}); };
      check_operation(std::string(op->name), channel_count, apply, sizes);
    }
    check_operation("prelu", channel_count, [&](Graph& g, Value v) { return prelu(g, prelu(g, wide(g, v))); }, sizes);
    check_operation(
        "activations of maps kept for the gradient", channel_count,
        [&](Graph& g, Value v) {
          const Value src = wide(g, v);
          std::vector<Value> all{prelu(g, src), softmax(g, src), src};
          for (const OpInfo* op : forward_ops) {
            if (op->kind() == OpKind::activation) all.push_back(add_node(g, *op, {}, {src}));
          }
          return concat(g, all);
        },
        awkward);
  }
}

TEST_CASE("engine: parameters with several uses collect the sum of their gradients, frozen ones keep none") {
  for (const int channel_count : {3, 16, 17}) {
    check_operation(
        "shared convolution", channel_count,
        [](Graph& g, Value v) {
          const auto block = [](Graph& graph, Value value) {
            return prelu(graph, convolution(graph, value, {.out = channels(graph, value), .kernel = 3}));
          };
          for (int uses = 0; uses < 3; ++uses) v = lower_shared(g, "block", block, v);
          return v;
        },
        awkward);
    // The first use sees maps of another size, in another layout: the kernels may write gradients in other layouts.
    check_operation("shared convolution at two sizes", channel_count,
                    [](Graph& g, Value v) {
                      const auto block = [](Graph& graph, Value value) {
                        return convolution(graph, value, {.out = channels(graph, value), .kernel = 3});
                      };
                      const Value small = lower_shared(g, "block", block, average_pool(g, v, {.window = 2}));
                      return resize_nearest(g, lower_shared(g, "block", block, small));
                    },
                    {{1, {8, 12}}, {3, {10, 6}}});
    check_operation(
        "frozen batch norm", channel_count,
        [](Graph& g, Value v) {
          const Value learnt = convolution(g, v, {.out = channels(g, v), .kernel = 3});
          g.frozen = true;
          const Value fixed = batch_norm(g, convolution(g, batch_norm(g, learnt), {.out = 5}));
          g.frozen = false;
          return convolution(g, fixed, {.out = 4});
        },
        awkward);
  }
}

}  // namespace oracle_agreement_test
