// A user's operations in executions: the same as the library's own where there is one, gradients and errors.
#include "engine/custom_ops.hpp"
#include "engine/run_graph.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/engine/batch_gradients.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/schedule/make_schedule.hpp>
#include <posemachine/schedule/passes/in_place.hpp>
#include <posemachine/training/check_gradients.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace custom_op_test {

using namespace posemachine;
using namespace posemachine::schedule;
using namespace posemachine::engine;
using engine_test::relative_error;
using engine_test::run_graph;

namespace {

// A network around the activation: shared weights, a concat, the activation as output and on a global value.
template <class Activation>
Graph network_with(int channel_count, const Activation& activation) {
  Graph graph;
  const Value image = add_input(graph, "image", channel_count);
  const auto block = [&](Graph& inside, Value src) {
    return activation(inside, convolution(inside, src, {.out = channels(inside, src), .kernel = 3}));
  };
  const Value once = lower_shared(graph, "block", block, image);
  const Value twice = lower_shared(graph, "block", block, once);
  const Value joined = concat(graph, {activation(graph, once), twice, image});
  add_output(graph, "side", joined);
  add_output(graph, "mean", activation(graph, global_average_pool(graph, joined)));
  add_output(graph, "maps", convolution(graph, joined, {.out = 5}));
  return graph;
}

std::string message_of(const auto& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "taken";
}

}  // namespace

TEST_CASE("custom op: one that computes prelu gives the library's numbers, forward and backward, shared uses too") {
  for (const int channel_count : {3, 16, 17}) {
    const Graph ours = network_with(channel_count, custom_ops::slopes<custom_ops::prelu_op>);
    const Graph library = network_with(channel_count, [](Graph& graph, Value src) { return prelu(graph, src); });
    for (const int batch : {1, 3}) {
      for (const bool reuse : {true, false}) {
        ProgramOptions options;
        options.batch = batch;
        options.image = {7, 10};
        options.mode = Mode::training;
        if (!reuse) options.passes = SchedulePasses::none();
        options.reuse_memory = reuse;
        const Graph training = differentiate(ours, {.input_gradients = true});
        const Graph expected_training = differentiate(library, {.input_gradients = true});
        const auto filling = reference::fill(training, batch, options.image, 5);
        const auto got = run_graph(training, filling, options);
        const auto expected = run_graph(expected_training, filling, options);
        REQUIRE(got.outputs.size() == expected.outputs.size());
        for (std::size_t i = 0; i < got.outputs.size(); ++i) {
          const std::vector<double> truth(expected.outputs[i].begin(), expected.outputs[i].end());
          CHECK(relative_error(got.outputs[i], truth) < 1e-6);
        }
        for (std::size_t id = 0; id < got.gradients.size(); ++id) {
          CAPTURE(parameter_name(training, static_cast<int>(id)));
          const std::vector<double> truth(expected.gradients[id].begin(), expected.gradients[id].end());
          REQUIRE_FALSE(truth.empty());
          CHECK(relative_error(got.gradients[id], truth) < 1e-5);
        }
      }
    }
  }
}

TEST_CASE(
    "custom op: a product of two maps gives each the other, and only the gradients that are wanted are asked for") {
  Graph graph;
  const Value image = add_input(graph, "image", 4);
  const Value learnt = convolution(graph, image, {.out = 4, .kernel = 3});
  add_output(graph, "maps", add_node(graph, custom_ops::multiply_op, {}, {image, learnt}));
  const auto count = [](const Graph& training) {
    int nodes = 0;
    for (const Node& node : training.nodes) nodes += node.op == &custom_backward_op ? 1 : 0;
    return nodes;
  };
  CHECK(count(differentiate(graph)) == 1);  // of the learnt map alone
  CHECK(count(differentiate(graph, {.input_gradients = true})) == 2);
  const GradientCheck check = check_gradients(graph, {5, 6});
  CHECK(check.checked > 20);
  CHECK(check.worst < 1e-3);
}

TEST_CASE("custom op: where its traits allow it, dst lies in the memory of src, and holds the same") {
  const auto network = [](const OpInfo& op) {
    Graph graph;
    const Value first = batch_norm(graph, add_input(graph, "image", 16));
    const Value second = add_node(graph, op, {}, {first});
    add_output(graph, "maps", add_node(graph, op, {}, {second}));
    return graph;
  };
  const Graph told = network(custom_ops::softsign_op), untold = network(custom_ops::untold_softsign_op);
  const ProgramOptions options{.batch = 2, .image = {6, 5}};
  const auto filling = reference::fill(told, options.batch, options.image, 5);
  CHECK(run_graph(told, filling, options).outputs == run_graph(untold, filling, options).outputs);
  const auto shared = [](const Graph& graph) {
    Schedule schedule = make_schedule(graph, 2, {6, 5}, Mode::inference);
    in_place(schedule);
    return schedule.place(input(graph, graph.nodes.back(), 0).id).root ==
           schedule.place(input(graph, graph.nodes[graph.nodes.size() - 2], 0).id).root;
  };
  CHECK(shared(told));
  CHECK_FALSE(shared(untold));
}

TEST_CASE("check_gradients: right operations pass, wrong backward kernels are told by the tensor they spoil") {
  const auto small = [](const auto& activation) {
    Graph graph;
    const Value hidden = convolution(graph, add_input(graph, "image", 3), {.out = 4, .kernel = 3});
    add_output(graph, "maps", convolution(graph, activation(graph, hidden), {.out = 2}));
    return graph;
  };
  CHECK(check_gradients(small(custom_ops::slopes<custom_ops::prelu_op>), {6, 5}).worst < 5e-3);
  CHECK(check_gradients(small([](Graph& g, Value v) { return silu(g, batch_norm(g, v)); }), {6, 5}).worst < 5e-3);
  const std::string src =
      message_of([&] { check_gradients(small(custom_ops::slopes<custom_ops::wrong_src_op>), {6, 5}); });
  CHECK(src.find("of the tensor's largest gradient") != std::string::npos);
  CHECK(src.find("slopes") == std::string::npos);
  const std::string parameter =
      message_of([&] { check_gradients(small(custom_ops::slopes<custom_ops::wrong_parameter_op>), {6, 5}); });
  CHECK(parameter.starts_with("gradient of PReLU_1.slopes["));
}

TEST_CASE("custom op: without a backward kernel no gradient passes, and what lies before learns nothing") {
  Graph graph;
  const Value hidden = convolution(graph, add_input(graph, "image", 3), {.out = 4});
  const Value fixed = custom_ops::slopes<custom_ops::forward_only_op>(graph, hidden);
  add_output(graph, "maps", convolution(graph, fixed, {.out = 2}));
  int backward = 0;
  for (const Node& node : differentiate(graph).nodes) backward += node.forward >= 0 ? 1 : 0;
  CHECK(backward == 2);  // the last convolution's weights, and the gradient of what it reads
}

TEST_CASE("custom op: what a kernel throws reaches the caller of run") {
  Graph graph;
  add_output(graph, "maps", add_node(graph, custom_ops::throwing_op, {}, {add_input(graph, "image", 3)}));
  ProgramOptions options;
  options.image = {4, 4};
  Execution execution(graph, std::make_shared<PreparedWeights>(std::make_shared<const std::vector<Tensor>>()), options);
  CHECK(message_of([&] { execution.run(); }) == "the kernel's own words");
}

TEST_CASE("custom op: one and two workers give the same bytes") {
  const Graph network = network_with(4, custom_ops::slopes<custom_ops::prelu_op>);
  const auto run = [&](int workers) {
    const auto filling = reference::fill(network, 4, {8, 8}, 2);
    auto parameters = std::make_shared<std::vector<Tensor>>(engine_test::as_tensors(network, filling.parameters));
    BatchGradients gradients(network, parameters, {.batch = 4, .slice = 2, .workers = workers, .image = {8, 8}});
    const auto& image = filling.inputs.at("image").values;
    const std::vector<float> images(image.begin(), image.end());
    gradients.compute(
        "image", images,
        [](const SliceView& view) {
          for (std::size_t k = 0; k < view.outputs.size(); ++k) {
            for (std::size_t i = 0; i < view.outputs[k].size(); ++i) view.output_gradients[k][i] = view.outputs[k][i];
          }
        },
        1, 0);
    std::vector<float> all;
    for (const Tensor& tensor : gradients.gradients())
      all.insert(all.end(), tensor.values.begin(), tensor.values.end());
    return all;
  };
  CHECK(run(1) == run(2));
}

}  // namespace custom_op_test
