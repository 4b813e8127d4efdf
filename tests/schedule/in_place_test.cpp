// in_place on small schedules.
#include "schedule/memory_model.hpp"

#include <posemachine/graph/build.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/schedule/make_schedule.hpp>
#include <posemachine/schedule/passes/in_place.hpp>
#include <posemachine/schedule/passes/share_slices.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace in_place_test {

using namespace posemachine;
using namespace posemachine::schedule;
using schedule_test::step_of;

namespace {

Schedule placed(const Graph& graph, int batch = 1, Mode mode = Mode::inference) {
  Schedule schedule = make_schedule(graph, batch, {4, 4}, mode);
  share_slices(schedule);
  in_place(schedule);
  return schedule;
}

bool same_memory(const Schedule& schedule, Value a, Value b) {
  const Schedule::Place one = schedule.place(a.id);
  const Schedule::Place other = schedule.place(b.id);
  return one.root == other.root && one.channel_offset == other.channel_offset;
}

}  // namespace

TEST_CASE("in_place: activations, dropout and gates write over a src that nobody reads afterwards") {
  for (const int batch : {1, 3}) {
    Graph graph;
    const Value pooled = average_pool(graph, add_input(graph, "image", 5), {.window = 2});
    const Value bent = relu(graph, pooled);
    const Value thinned = dropout(graph, bent, {.percent = 20});
    const Value gate = sigmoid(graph, convolution(graph, global_average_pool(graph, thinned), {.out = 5}));
    const Value gated = channel_scale(graph, thinned, gate);
    add_output(graph, "out", convolution(graph, gated, {.out = 5}));
    const Schedule schedule = placed(graph, batch);
    CHECK(same_memory(schedule, pooled, bent));
    CHECK(same_memory(schedule, bent, thinned));
    CHECK(same_memory(schedule, thinned, gated));
    CHECK_FALSE(same_memory(schedule, gate, gated));
  }
}

TEST_CASE("in_place: a src that a later step reads is not overwritten") {
  Graph graph;
  const Value pooled = average_pool(graph, add_input(graph, "image", 5), {.window = 2});
  const Value bent = relu(graph, pooled);
  add_output(graph, "out", add(graph, std::array{bent, pooled}));
  CHECK_FALSE(same_memory(placed(graph), pooled, bent));
}

TEST_CASE("in_place: the last of two readers may overwrite, the first may not") {
  Graph graph;
  const Value pooled = average_pool(graph, add_input(graph, "image", 5), {.window = 2});
  const Value first = relu(graph, pooled);
  const Value last = sigmoid(graph, pooled);
  add_output(graph, "out", add(graph, std::array{first, last}));
  const Schedule schedule = placed(graph);
  CHECK_FALSE(same_memory(schedule, pooled, first));
  CHECK(same_memory(schedule, pooled, last));
}

TEST_CASE("in_place: a sum is written over the first of its terms that nobody needs, and reads that one first") {
  Graph graph;
  const Value pooled = average_pool(graph, add_input(graph, "image", 5), {.window = 2});
  const Value first = sigmoid(graph, pooled);
  const Value second = silu(graph, pooled);
  const Value sum = add(graph, std::array{pooled, first, second});
  add_output(graph, "out", add(graph, std::array{sum, convolution(graph, pooled, {.out = 5})}));
  const Schedule schedule = placed(graph);
  CHECK(same_memory(schedule, first, sum));
  CHECK_FALSE(same_memory(schedule, pooled, sum));
  CHECK_FALSE(same_memory(schedule, second, sum));
  const auto step =
      std::find_if(schedule.steps.begin(), schedule.steps.end(), [&](const Step& each) { return each.dst == sum.id; });
  REQUIRE(step != schedule.steps.end());
  CHECK(step->srcs == std::vector{first.id, pooled.id, second.id});
}

TEST_CASE("in_place: a sum that has a term twice keeps it whole") {
  Graph graph;
  const Value bent = relu(graph, average_pool(graph, add_input(graph, "image", 5), {.window = 2}));
  const Value sum = add(graph, std::array{bent, bent});
  add_output(graph, "out", convolution(graph, sum, {.out = 2}));
  CHECK_FALSE(same_memory(placed(graph), bent, sum));
}

TEST_CASE("in_place: outputs and the caller's inputs are not overwritten") {
  Graph graph;
  const Value image = add_input(graph, "image", 5);
  const Value bent = relu(graph, image);
  const Value squashed = sigmoid(graph, bent);
  add_output(graph, "bent", bent);
  add_output(graph, "squashed", squashed);
  CHECK_FALSE(same_memory(placed(graph), bent, squashed));
  Schedule schedule = make_schedule(graph, 1, {4, 4}, Mode::inference);
  schedule.value(image.id).external = true;
  in_place(schedule);
  CHECK_FALSE(same_memory(schedule, image, bent));
}

TEST_CASE("in_place: a gate that is the map itself is read to the end") {
  Graph graph;
  const Value means = global_average_pool(graph, add_input(graph, "image", 5));
  const Value squares = channel_scale(graph, means, means);
  add_output(graph, "out", relu(graph, squares));
  CHECK_FALSE(same_memory(placed(graph), means, squares));
}

TEST_CASE("in_place: a single factor keeps a destination of its own") {
  // oneDNN 2.6 multiplies wrongly in place where the factor is one number.
  for (const int batch : {1, 2}) {
    Graph graph;
    const Value pooled = average_pool(graph, add_input(graph, "image", 1), {.window = 2});
    const Value gate = sigmoid(graph, global_average_pool(graph, pooled));
    const Value gated = channel_scale(graph, pooled, gate);
    add_output(graph, "out", gated);
    CHECK(same_memory(placed(graph, batch), pooled, gated) == (batch == 2));
  }
}

TEST_CASE("in_place: a branch that its concat still needs is not overwritten") {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  const Value branch = convolution(graph, image, {.out = 16});
  const Value other = sigmoid(graph, branch);
  const Value whole = concat(graph, {branch, convolution(graph, image, {.out = 16})});
  add_output(graph, "out", concat(graph, {whole, other}));
  const Schedule schedule = placed(graph);
  REQUIRE(schedule.stands_at(branch.id, whole.id, 0));
  CHECK_FALSE(same_memory(schedule, branch, other));
}

TEST_CASE("in_place: a src moves into the place that its dst has in a concat") {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  const Value first = convolution(graph, image, {.out = 32});
  const Value pooled = batch_norm(graph, convolution(graph, image, {.out = 16}));
  const Value bent = relu(graph, pooled);
  const Value whole = concat(graph, {first, bent});
  add_output(graph, "out", convolution(graph, whole, {.out = 1}));
  const Schedule schedule = placed(graph);
  CHECK(same_memory(schedule, pooled, bent));
  CHECK(schedule.place(pooled.id).root == whole.id);
  CHECK(schedule.place(pooled.id).channel_offset == 32);
}

TEST_CASE("in_place: the gradient of an activation takes the place of diff_dst and leaves the activation's dst alone") {
  Graph network;
  const Value bent =
      relu(network, batch_norm(network, convolution(network, add_input(network, "image", 3), {.out = 4})));
  add_output(network, "out", convolution(network, bent, {.out = 4}));
  const Graph graph = differentiate(network);
  const Schedule schedule = placed(graph, 2, Mode::training);
  int seen = 0;
  for (const Step& step : schedule.steps) {
    if (schedule.node(step).op != &relu_backward_op) continue;
    ++seen;
    CHECK(schedule.src(step, 0) == bent.id);
    CHECK_FALSE(same_memory(schedule, bent, Value{step.dst}));
    CHECK(same_memory(schedule, Value{schedule.src(step, 1)}, Value{step.dst}));
  }
  CHECK(seen == 1);
}

TEST_CASE("in_place: a long chain lies in one buffer, and every value knows it at once") {
  Graph graph;
  Value value = average_pool(graph, add_input(graph, "image", 5), {.window = 2});
  const Value first = value;
  for (int i = 0; i < 9900; ++i) value = i % 2 == 0 ? relu(graph, value) : sigmoid(graph, value);
  add_output(graph, "out", convolution(graph, value, {.out = 5}));
  const Schedule schedule = placed(graph);
  CHECK(same_memory(schedule, first, value));
  CHECK(std::all_of(schedule.values.begin(), schedule.values.end(), [&](const ScheduledValue& each) {
    return each.parent < 0 || schedule.value(each.parent).parent < 0;
  }));
}

}  // namespace in_place_test
