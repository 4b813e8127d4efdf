// share_slices on small schedules.
#include "schedule/memory_model.hpp"

#include <posemachine/graph/build.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/schedule/make_schedule.hpp>
#include <posemachine/schedule/passes/share_slices.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

namespace share_slices_test {

using namespace posemachine;
using namespace posemachine::schedule;
using schedule_test::step_of;

namespace {

struct Branches {
  Graph graph;
  std::vector<Value> parts;
  Value whole;
};

Branches branches_of(const std::vector<int>& widths) {
  Branches result;
  Graph& graph = result.graph;
  const Value image = add_input(graph, "image", 3);
  for (const int width : widths) result.parts.push_back(convolution(graph, image, {.out = width}));
  result.whole = concat(graph, result.parts);
  add_output(graph, "out", convolution(graph, result.whole, {.out = 1}));
  return result;
}

Schedule shared(const Graph& graph, int batch, int block) {
  Schedule schedule = make_schedule(graph, batch, {4, 4}, Mode::training, processor_capabilities(block));
  share_slices(schedule);
  return schedule;
}

// Where each part lies within the whole, or -1.
std::vector<int> offsets(const Schedule& schedule, const Branches& branches) {
  std::vector<int> found;
  for (const Value part : branches.parts) {
    const ScheduledValue& value = schedule.value(part.id);
    CHECK((value.parent == -1 || value.parent == branches.whole.id));
    found.push_back(value.parent < 0 ? -1 : value.channel_offset);
  }
  return found;
}

}  // namespace

TEST_CASE(
    "share_slices: branches of whole blocks and a ragged last one stand inside the concat, which has nothing to do") {
  const Branches branches = branches_of({32, 16, 15});
  const Schedule schedule = shared(branches.graph, 1, 16);
  CHECK(offsets(schedule, branches) == std::vector{0, 32, 48});
  CHECK(step_of(schedule, branches.whole)->elided);
}

TEST_CASE("share_slices: behind a ragged branch nothing is aligned, and the concat copies what has no place") {
  const Branches branches = branches_of({16, 15, 16, 1});
  const Schedule schedule = shared(branches.graph, 1, 16);
  CHECK(offsets(schedule, branches) == std::vector{0, -1, -1, -1});
  CHECK_FALSE(step_of(schedule, branches.whole)->elided);
}

TEST_CASE("share_slices: 8 channels are a whole block only where blocks have 8") {
  const Branches branches = branches_of({8, 24, 7});
  CHECK(offsets(shared(branches.graph, 1, 8), branches) == std::vector{0, 8, 32});
  CHECK(offsets(shared(branches.graph, 1, 16), branches) == std::vector{-1, -1, 32});
}

TEST_CASE("share_slices: with several images channels are not contiguous and every branch keeps its buffer") {
  const Branches branches = branches_of({32, 16});
  const Schedule schedule = shared(branches.graph, 2, 16);
  CHECK(offsets(schedule, branches) == std::vector{-1, -1});
  CHECK_FALSE(step_of(schedule, branches.whole)->elided);
}

TEST_CASE("share_slices: a value stands in one place only, however often concats read it") {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  const Value part = convolution(graph, image, {.out = 16});
  const Value twice = concat(graph, {part, part});
  const Value again = concat(graph, {part, twice});
  add_output(graph, "out", again);
  const Schedule schedule = shared(graph, 1, 16);
  CHECK(schedule.value(part.id).parent == twice.id);
  CHECK(schedule.value(part.id).channel_offset == 0);
  CHECK_FALSE(step_of(schedule, twice)->elided);  // its second half is a copy
  CHECK(schedule.value(twice.id).parent == again.id);
  CHECK(schedule.value(twice.id).channel_offset == 16);
  CHECK_FALSE(step_of(schedule, again)->elided);
  CHECK(schedule.place(part.id).root == again.id);
  CHECK(schedule.place(part.id).channel_offset == 16);
}

TEST_CASE("share_slices: an input that stays in the caller's memory is copied") {
  // Of 3 channels that convolutions alone read: plain. A concat of it alone cannot be (it reads it), so it is blocked
  // and stands inside; external is what the pass must refuse.
  Graph graph;
  const Value image = add_input(graph, "image", 16);
  const Value whole = concat(graph, {image, convolution(graph, image, {.out = 16})});
  add_output(graph, "out", whole);
  Schedule schedule = make_schedule(graph, 1, {4, 4}, Mode::inference);
  schedule.value(image.id).external = true;
  share_slices(schedule);
  CHECK(schedule.value(image.id).parent == -1);
  CHECK_FALSE(step_of(schedule, whole)->elided);
  schedule = shared(graph, 1, 16);
  CHECK(schedule.value(image.id).parent == whole.id);
  CHECK(step_of(schedule, whole)->elided);
}

TEST_CASE("share_slices: a gradient's slices are read where they lie, aligned ones only") {
  for (const int first : {16, 15}) {
    const Branches branches = branches_of({first, 16});
    const Graph graph = differentiate(branches.graph);
    const Schedule schedule = shared(graph, 1, 16);
    int slices = 0;
    int elided = 0;
    for (const Step& step : schedule.steps) {
      if (schedule.node(step).op != &slice_op) continue;
      ++slices;
      elided += step.elided ? 1 : 0;
      if (!step.elided) continue;
      CHECK(schedule.value(step.dst).parent == schedule.src(step, 0));
      CHECK(schedule.value(step.dst).channel_offset == unpack<SliceOptions>(schedule.node(step).options).first);
    }
    CHECK(slices == 2);
    CHECK(elided == (first == 16 ? 2 : 0));
  }
}

}  // namespace share_slices_test
