// fold_gates: which gates go into weights, and that the results stay.
#include "engine/agreement.hpp"
#include "schedule/memory_model.hpp"

#include <posemachine/engine/execution.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/schedule/make_schedule.hpp>
#include <posemachine/schedule/passes/choose_winograd.hpp>
#include <posemachine/schedule/passes/fold_gates.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace fold_gates_test {

using namespace posemachine;
using namespace posemachine::schedule;
using namespace posemachine::engine;

namespace {

Value gate_of(Graph& graph, Value map) {
  return sigmoid(graph, convolution(graph, global_average_pool(graph, map), {.out = channels(graph, map)}));
}

// A map with its gate, and what `build` makes of the gated map.
Graph net(const std::function<void(Graph&, Value map, Value gated)>& build, int channel_count = 32) {
  Graph graph;
  const Value map = relu(graph, convolution(graph, add_input(graph, "image", 3), {.out = channel_count, .kernel = 3}));
  build(graph, map, channel_scale(graph, map, gate_of(graph, map)));
  return graph;
}

int gates_in(const Graph& graph, int batch = 1, Size image = {24, 20}, int threads = 1, Mode mode = Mode::inference) {
  Schedule schedule = make_schedule(graph, batch, image, mode);
  choose_winograd(schedule, {.threads = threads});
  fold_gates(schedule, {.threads = threads});
  int count = 0;
  for (const Step& step : schedule.steps) count += static_cast<int>(step.gates.size());
  ProgramOptions options;
  options.threads = threads;
  options.mode = mode;
  engine_test::check_forward(graph, batch, image, options, "gates");
  CHECK(schedule_test::first_damage(schedule_test::schedule_of(graph, 1, {9, 8}, 16, {.mode = mode})) == "");
  return count;
}

}  // namespace

TEST_CASE("fold_gates: convolutions that read a gated map get its factors, through concats too") {
  CHECK(gates_in(net([](Graph& graph, Value, Value gated) {
          add_output(graph, "out", convolution(graph, gated, {.out = 8}));
        })) == 1);
  CHECK(gates_in(net([](Graph& graph, Value, Value gated) {  // several readers, strides, larger kernels
          add_output(graph, "one", convolution(graph, gated, {.out = 8}));
          add_output(graph, "two", convolution(graph, gated, {.out = 4, .kernel = 3, .stride = 2}));
          add_output(graph, "three", relu(graph, convolution(graph, gated, {.out = 5, .kernel = 3, .dilation = 2})));
        })) == 3);
  CHECK(gates_in(net([](Graph& graph, Value map, Value gated) {  // beside the map itself, twice, and behind a concat
          const Value inner = concat(graph, {gated, map});
          add_output(graph, "out", convolution(graph, concat(graph, {map, inner, gated}), {.out = 3}));
        })) == 2);
  CHECK(gates_in(net(
            [](Graph& graph, Value map, Value gated) {  // ragged channels in front and behind
              const Value ragged = convolution(graph, map, {.out = 15});
              add_output(graph, "front", convolution(graph, concat(graph, {ragged, gated}), {.out = 3}));
              add_output(graph, "behind", convolution(graph, concat(graph, {gated, ragged}), {.out = 3}));
            },
            17)) == 2);
}

TEST_CASE("fold_gates: a gate on a gated map multiplies with the first") {
  const Graph graph = net([](Graph& inside, Value map, Value gated) {
    const Value twice = channel_scale(inside, gated, gate_of(inside, map));
    add_output(inside, "out", convolution(inside, twice, {.out = 8}));
  });
  CHECK(gates_in(graph) == 2);
}

TEST_CASE("fold_gates: a map that something else reads stays gated") {
  using Build = std::function<void(Graph&, Value, Value)>;
  const std::vector<Build> builds{
      [](Graph& graph, Value, Value gated) {  // a pooling
        add_output(graph, "out", convolution(graph, max_pool(graph, gated, {.window = 2}), {.out = 8}));
      },
      [](Graph& graph, Value, Value gated) {  // the caller
        add_output(graph, "gated", gated);
        add_output(graph, "out", convolution(graph, gated, {.out = 8}));
      },
      [](Graph& graph, Value map, Value gated) {  // the caller, as a part of a concat
        const Value whole = concat(graph, {map, gated});
        add_output(graph, "whole", whole);
        add_output(graph, "out", convolution(graph, whole, {.out = 8}));
      },
      [](Graph& graph, Value, Value gated) {  // a convolution in groups
        add_output(graph, "out", convolution(graph, gated, {.out = 8, .groups = 2}));
      },
      [](Graph& graph, Value, Value gated) {  // one by Winograd's algorithm
        add_output(graph, "out", convolution(graph, gated, {.out = 32, .kernel = 3}));
      },
  };
  for (const Build& build : builds) CHECK(gates_in(net(build)) == 0);
}

TEST_CASE("fold_gates: what a convolution adds to is gone when the readers of the gated map come") {
  const Graph graph = net([](Graph& inside, Value map, Value gated) {
    add_output(inside, "sum", add(inside, std::array{map, convolution(inside, gated, {.out = 32})}));
    add_output(inside, "late", convolution(inside, concat(inside, {gated, gated}), {.out = 8}));
  });
  Schedule schedule = make_schedule(graph, 1, {24, 20}, Mode::inference);
  fuse_sum(schedule);
  fold_gates(schedule);
  CHECK(schedule_test::first_damage(schedule_test::schedule_of(graph, 1, {9, 8}, 16, {.mode = Mode::inference})) == "");
  engine_test::check_forward(graph, 1, {24, 20}, {}, "summand");
}

TEST_CASE("fold_gates: a gate that a convolution adds to is gone, too, and one from outside may be bound anew") {
  Graph graph;
  const Value map = relu(graph, convolution(graph, add_input(graph, "image", 16), {.out = 16}));
  const Value mean = global_average_pool(graph, map);
  const Value gate = sigmoid(graph, convolution(graph, mean, {.out = 16}));
  const Value gated = channel_scale(graph, map, gate);
  add_output(graph, "sum", add(graph, std::array{convolution(graph, mean, {.out = 16}), gate}));
  add_output(graph, "late", convolution(graph, gated, {.out = 16}));
  CHECK(schedule_test::first_damage(schedule_test::schedule_of(graph, 1, {17, 17}, 16, {.mode = Mode::inference})) ==
        "");
  engine_test::check_forward(graph, 1, {17, 17}, {}, "gate as a summand");
}

TEST_CASE("fold_gates: chains of gated concats, 10,000 nodes deep, are decided in moderate time") {
  Graph graph;
  Value value = convolution(graph, add_input(graph, "image", 3), {.out = 1});
  const Value mean = global_average_pool(graph, value);
  while (graph.nodes.size() < 10'000) {
    const Value gated = channel_scale(graph, convolution(graph, value, {.out = 1}), mean);
    value = concat(graph, {value, gated});
    if (channels(graph, value) > 30) value = convolution(graph, value, {.out = 1});
  }
  add_output(graph, "out", value);
  Schedule schedule = make_schedule(graph, 1, {64, 64}, Mode::inference);
  fold_gates(schedule);
  std::size_t most = 0;
  for (const Step& step : schedule.steps) most = std::max(most, step.gates.size());
  CHECK(most > 1);
  CHECK(most <= 32);
}

TEST_CASE("fold_gates: only where the weights are fewer than the map, for one image, in inference") {
  const auto of = [](int out) {
    return net(
        [out](Graph& graph, Value, Value gated) { add_output(graph, "out", convolution(graph, gated, {.out = out})); });
  };
  CHECK(gates_in(of(60), 1, {8, 8}) == 1);
  CHECK(gates_in(of(64), 1, {8, 8}) == 0);
  CHECK(gates_in(of(60), 1, {8, 8}, 2) == 0);  // two threads share a map
  CHECK(gates_in(of(8), 2) == 0);
  CHECK(gates_in(of(8), 1, {24, 20}, 1, Mode::training) == 0);
}

}  // namespace fold_gates_test
