// pool_early: which poolings move, and what that saves.
#include "engine/agreement.hpp"
#include "schedule/memory_model.hpp"

#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/schedule/make_schedule.hpp>
#include <posemachine/schedule/passes/pool_early.hpp>

#include <doctest/doctest.h>

#include <cstddef>

namespace pool_early_test {

using namespace posemachine;
using namespace posemachine::schedule;
using schedule_test::first_damage;
using schedule_test::schedule_of;

namespace {

std::ptrdiff_t position(const Schedule& schedule, Value value) {
  return schedule_test::step_of(schedule, value) - schedule.steps.data();
}

}  // namespace

TEST_CASE("pool_early: features that are kept at an eighth of their size are not held at full size meanwhile") {
  Graph graph;
  const Value low = relu(graph, convolution(graph, add_input(graph, "image", 3), {.out = 32, .kernel = 3}));
  const Value down = convolution(graph, low, {.out = 32, .kernel = 3, .stride = 2});
  const Value deep = convolution(graph, convolution(graph, down, {.out = 64, .kernel = 3, .stride = 2}),
                                 {.out = 64, .kernel = 3, .stride = 2});
  const Value kept = average_pool(graph, low, {.window = 8, .stride = 8});
  add_output(graph, "maps", convolution(graph, concat(graph, {deep, kept}), {.out = 4}));
  const schedule_test::Scheduling late{.passes = SchedulePasses().without("pool_early"), .mode = Mode::inference};
  const schedule_test::Scheduling early{.mode = Mode::inference};
  const Schedule before = schedule_of(graph, 1, {32, 32}, 16, late);
  const Schedule after = schedule_of(graph, 1, {32, 32}, 16, early);
  CHECK(position(before, kept) > position(before, deep));
  CHECK(position(after, kept) == position(after, down) + 1);  // behind the other reader
  CHECK(after.arena_bytes < before.arena_bytes);
  CHECK(first_damage(after) == "");
  engine_test::check_forward(graph, 1, {32, 32}, {}, "pooled early");
}

TEST_CASE("pool_early: what somebody reads later, what is an output and what grows stays; so does training") {
  Graph graph;
  const Value low = relu(graph, convolution(graph, add_input(graph, "image", 3), {.out = 16, .kernel = 3}));
  const Value other = convolution(graph, convolution(graph, low, {.out = 16}), {.out = 16});
  const Value pooled = max_pool(graph, low, {.window = 2, .stride = 2});
  const Value same = max_pool(graph, other, {.window = 3, .stride = 1, .padding = 1});
  add_output(graph, "one", convolution(graph, low, {.out = 4}));  // reads it after the pooling
  add_output(graph, "two", convolution(graph, pooled, {.out = 4}));
  add_output(graph, "three", same);
  Schedule schedule = make_schedule(graph, 1, {16, 16}, Mode::inference);
  const std::ptrdiff_t at = position(schedule, pooled);
  pool_early(schedule);
  CHECK(position(schedule, pooled) == at);
  CHECK(position(schedule, same) == at + 1);
  Graph output;
  const Value map = relu(output, add_input(output, "image", 16));
  const Value beside = convolution(output, map, {.out = 16});
  add_output(output, "map", map);
  add_output(output, "pooled", max_pool(output, map, {.window = 2}));
  add_output(output, "beside", convolution(output, beside, {.out = 4}));
  Schedule kept = make_schedule(output, 1, {16, 16}, Mode::inference);
  const std::ptrdiff_t before = position(kept, Value{output.outputs[1].value});
  pool_early(kept);
  CHECK(position(kept, Value{output.outputs[1].value}) == before);
}

}  // namespace pool_early_test
