// Plans against the oracle: every operation, random networks, all passes on and each one off.
#include "engine/run_plan.hpp"
#include "reference/kinks.hpp"
#include "reference/random_graph.hpp"

#include <posemachine/engine/ops.hpp>
#include <posemachine/engine/plan.hpp>
#include <posemachine/graph/differentiate.hpp>
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

using namespace posemachine;
using engine_test::relative_error;
using engine_test::run_plan;

namespace {

// Single precision over a dozen layers: rounding of 2^-24 a term, some hundreds of terms, grown by the layers after.
constexpr double forward_tolerance = 2e-5;
constexpr double gradient_tolerance = 1e-3;  // the project's figure for gradients

struct Sizes {
  int batch;
  Size image;
};

void check_forward(const Graph& graph, int batch, Size image, const PlanOptions& base, const std::string& what) {
  const auto filling = reference::fill(graph, batch, image, 11);
  PlanOptions options = base;
  options.batch = batch;
  options.image = image;
  reference::Context context;
  context.training = options.mode == Mode::training;
  context.seed = 5;
  context.step = 3;
  const auto truth = reference::run(graph, batch, image, filling.inputs, filling.parameters, context);
  const auto ours = run_plan(graph, filling, options, {5, 3, 0});
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    const double error = relative_error(ours.outputs[i], truth[Value{graph.outputs[i].value}].values);
    CHECK_MESSAGE(error < forward_tolerance, what << " output " << i << " error " << error);
  }
}

// Forward in training mode, gradients of inputs and parameters, statistics of batch norm.
void check_gradients(const Graph& network, int batch, Size image, const PassSwitches& passes, const std::string& what) {
  const Graph graph = differentiate(network, {.input_gradients = true});
  const auto filling = reference::fill(graph, batch, image, 12);
  reference::Context context;
  context.training = true;
  context.seed = 5;
  context.step = 3;
  const auto truth = reference::run(graph, batch, image, filling.inputs, filling.parameters, context);
  if (reference::nearest_kink(network, truth) < 1e-5) return;  // rounding may take the other side of a kink
  PlanOptions options;
  options.batch = batch;
  options.image = image;
  options.mode = Mode::training;
  options.passes = passes;
  const auto ours = run_plan(graph, filling, options, {5, 3, 0});
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    const double error = relative_error(ours.outputs[i], truth[Value{graph.outputs[i].value}].values);
    const double tolerance = i < network.outputs.size() ? forward_tolerance : gradient_tolerance;
    CHECK_MESSAGE(error < tolerance, what << " " << output_name(graph, i) << " error " << error);
  }
  // A bias before batch norm has the gradient 0 but for rounding: errors are measured against the network's largest one.
  double largest = 0;
  for (const auto& gradient : truth.gradients) {
    for (const double value : gradient) largest = std::max(largest, std::abs(value));
  }
  for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
    if (!graph.parameters[id].trainable || ours.gradients[id].empty()) continue;
    const double error = relative_error(ours.gradients[id], truth.gradients[id], 1e-3 * largest);
    CHECK_MESSAGE(error < gradient_tolerance, what << " " << parameter_name(graph, static_cast<int>(id)) << " error " << error);
  }
}

using Build = std::function<Value(Graph&, Value)>;

void check_operation(const std::string& name, int channel_count, const Build& build, const std::vector<Sizes>& sizes) {
  Graph graph;
  const Value src = add_input(graph, "image", channel_count);
  add_output(graph, "out", build(graph, src));
  for (const auto& [batch, image] : sizes) {
    const std::string what = name + " " + std::to_string(channel_count) + " channels, " + std::to_string(batch) + " x " + to_string(image);
    check_forward(graph, batch, image, {}, what);
    check_gradients(graph, batch, image, {}, what);
  }
}

const std::vector<Sizes> awkward{{1, {7, 13}}, {3, {5, 5}}, {2, {16, 11}}};

}  // namespace

TEST_CASE("engine: every operation of the graph has an entry") {
  for (const OpInfo* op : forward_ops) CHECK_MESSAGE(find_engine_op(op) != nullptr, std::string(op->name));
  for (const OpInfo* op : backward_ops) CHECK_MESSAGE(find_engine_op(op) != nullptr, std::string(op->name));
}

TEST_CASE("engine: convolutions of odd channels, kernels, strides and dilations equal the oracle") {
  for (const int channel_count : {1, 3, 15, 17, 32}) {
    for (const ConvolutionOptions& options :
         {ConvolutionOptions{.out = 1, .kernel = 1}, ConvolutionOptions{.out = 17, .kernel = 3, .stride = 2},
          ConvolutionOptions{.out = 15, .kernel = 3, .dilation = 4, .bias = 0}, ConvolutionOptions{.out = 32, .kernel = 5}}) {
      const std::string name = "convolution k" + std::to_string(options.kernel) + " to " + std::to_string(options.out);
      check_operation(name, channel_count, [&](Graph& g, Value v) { return convolution(g, v, options); }, awkward);
    }
  }
  check_operation("convolution", 3, [](Graph& g, Value v) { return convolution(g, v, {.out = 5, .kernel = 3}); },
                  {{1, {1, 1}}, {3, {2, 1}}});
}

TEST_CASE("engine: pooling with padding and ceil, also over the border, equals the oracle") {
  for (const int channel_count : {1, 16, 19}) {
    for (const PoolOptions& options : {PoolOptions{.window = 2}, PoolOptions{.window = 3, .stride = 2, .padding = 1},
                                       PoolOptions{.window = 3, .stride = 2, .padding = 0, .ceil = 1}}) {
      check_operation("max_pool", channel_count, [&](Graph& g, Value v) { return max_pool(g, v, options); }, awkward);
      check_operation("average_pool", channel_count, [&](Graph& g, Value v) { return average_pool(g, v, options); }, awkward);
    }
    check_operation("gate", channel_count,
                    [](Graph& g, Value v) { return channel_scale(g, v, sigmoid(g, global_average_pool(g, v))); }, awkward);
  }
}

TEST_CASE("engine: activations, batch norm, dropout, sums and ragged concats equal the oracle") {
  for (const int channel_count : {1, 15, 16, 33}) {
    check_operation("relu", channel_count, [](Graph& g, Value v) { return relu(g, relu(g, v)); }, awkward);
    check_operation("sigmoid", channel_count, [](Graph& g, Value v) { return sigmoid(g, v); }, awkward);
    check_operation("batch_norm", channel_count, [](Graph& g, Value v) { return relu(g, batch_norm(g, v)); }, awkward);
    check_operation("dropout", channel_count, [](Graph& g, Value v) { return dropout(g, sigmoid(g, v), {.percent = 30}); }, awkward);
    check_operation("add", channel_count,
                    [](Graph& g, Value v) { return add(g, std::array{v, sigmoid(g, v), relu(g, v)}); }, awkward);
    check_operation("concat", channel_count,
                    [](Graph& g, Value v) {
                      const Value a = convolution(g, v, {.out = 15, .kernel = 1});
                      const Value b = convolution(g, v, {.out = 32, .kernel = 3});
                      const Value inner = concat(g, {b, a});
                      return convolution(g, concat(g, {a, inner, v, b}), {.out = 3, .kernel = 1});
                    },
                    awkward);
  }
}

TEST_CASE("engine: random networks with all passes and with each one off equal the oracle, forward and backward") {
  const std::array<PassSwitches, 6> switches{PassSwitches{}, PassSwitches{.fuse_relu = false}, PassSwitches{.share_slices = false},
                                             PassSwitches{.in_place = false}, PassSwitches{.reuse_memory = false},
                                             PassSwitches{false, false, false, false}};
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    const auto random = reference::random_graph(seed, {});
    for (std::size_t k = 0; k < switches.size(); ++k) {
      const std::string what = "seed " + std::to_string(seed) + " switches " + std::to_string(k);
      PlanOptions options;
      options.passes = switches[k];
      check_forward(random.graph, random.batch, random.image, options, what);
      check_gradients(random.graph, random.batch, random.image, switches[k], what);
    }
  }
}

TEST_CASE("engine: wide random networks, whose concats share memory at batch 1, equal the oracle") {
  for (std::uint64_t seed = 101; seed <= 112; ++seed) {
    const auto random = reference::random_graph(seed, {.steps = 16, .most_channels = 48});
    check_forward(random.graph, 1, random.image, {}, "wide seed " + std::to_string(seed));
    check_gradients(random.graph, 1, random.image, {}, "wide seed " + std::to_string(seed));
  }
}
