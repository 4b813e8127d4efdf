// share_branches on small schedules, and what the kernels then compute.
#include "engine/agreement.hpp"
#include "engine/passes/memory_model.hpp"

#include <posemachine/engine/lower.hpp>
#include <posemachine/engine/passes/share_branches.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>

#include <doctest/doctest.h>

#include <vector>

using namespace posemachine;
using engine_test::first_damage;
using engine_test::schedule_of;
using engine_test::step_of;

namespace {

// Stages that all read the same features beside the maps of the stage before: concat(features, maps) each time.
struct Stages {
  Graph graph;
  Value features;
  std::vector<Value> maps;
  std::vector<Value> wholes;

  explicit Stages(int count, bool features_first = true, int map_count = 15) {
    features = relu(graph, convolution(graph, add_input(graph, "image", 3), {.out = 32, .kernel = 3}));
    Value value = features;
    for (int stage = 0; stage < count; ++stage) {
      maps.push_back(convolution(graph, relu(graph, convolution(graph, value, {.out = 16, .kernel = 3})),
                                 {.out = map_count}));
      wholes.push_back(features_first ? concat(graph, {features, maps.back()})
                                      : concat(graph, {maps.back(), features}));
      value = wholes.back();
    }
    add_output(graph, "maps", convolution(graph, value, {.out = 4}));
  }

  void check(const Schedule& schedule, const char* what) const {
    CHECK(first_damage(schedule) == "");
    engine_test::check_forward(graph, 1, {7, 9}, {}, what);
  }
};

int copies(const Schedule& schedule) {
  int count = 0;
  for (const Step& step : schedule.steps) count += schedule.node(step).op == &concat_op && !step.elided ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("share_branches: stages read their features from one place, and no concat copies") {
  for (const bool features_first : {true, false}) {
    const Stages net(4, features_first, 16);
    const Schedule schedule = schedule_of(net.graph, 1, {7, 9}, 16, {});
    CHECK(copies(schedule) == 0);
    for (const Value whole : net.wholes) {
      CHECK(schedule.stands_at(net.features.id, whole.id, features_first ? 0 : 16));
      CHECK(schedule.place(whole.id).root == schedule.place(net.features.id).root);
    }
    CHECK(copies(schedule_of(net.graph, 1, {7, 9}, 16, {.share_branches = false})) == 3);
    net.check(schedule, "stages");
  }
}

TEST_CASE("share_branches: a ragged branch behind the shared one is no hindrance, in front of it it is") {
  const Stages behind(3, true, 15);
  CHECK(copies(schedule_of(behind.graph, 1, {7, 9}, 16, {})) == 0);
  const Stages before(3, false, 15);
  CHECK(copies(schedule_of(before.graph, 1, {7, 9}, 16, {})) == 3);
  before.check(schedule_of(before.graph, 1, {7, 9}, 16, {}), "ragged");
}

TEST_CASE("share_branches: maps that are read once more later are not written over") {
  Stages net(3);
  add_output(net.graph, "late", convolution(net.graph, net.wholes[0], {.out = 3}));  // the first concat lives on
  const Schedule schedule = schedule_of(net.graph, 1, {7, 9}, 16, {});
  CHECK(copies(schedule) == 2);  // nowhere else do the features stand
  net.check(schedule, "late concat");
  Stages kept(3);
  add_output(kept.graph, "late", convolution(kept.graph, kept.maps[0], {.out = 3}));
  CHECK(copies(schedule_of(kept.graph, 1, {7, 9}, 16, {})) == 2);
  kept.check(schedule_of(kept.graph, 1, {7, 9}, 16, {}), "late maps");
}

TEST_CASE("share_branches: a concat larger than the one there is, or of several images, keeps a buffer of its own") {
  Graph graph;
  const Value features = convolution(graph, add_input(graph, "image", 3), {.out = 32});
  const Value first = concat(graph, {features, convolution(graph, features, {.out = 16})});
  const Value wide = convolution(graph, first, {.out = 48});
  add_output(graph, "out", convolution(graph, concat(graph, {features, wide}), {.out = 4}));
  CHECK(copies(schedule_of(graph, 1, {7, 9}, 16, {})) == 1);
  const Stages net(3);
  CHECK(copies(schedule_of(net.graph, 2, {7, 9}, 16, {})) == 3);
}

TEST_CASE("share_branches: in place work beside concats that lie over one another destroys nothing") {
  // relu takes the place of what it reads, sums that of a summand: both inside concats that share their features.
  for (const bool residual : {false, true}) {
    Graph graph;
    const Value features = convolution(graph, add_input(graph, "image", 3), {.out = 16, .kernel = 3});
    Value value = features;
    for (int stage = 0; stage < 4; ++stage) {
      const Value body = convolution(graph, value, {.out = 16});
      Value bent = sigmoid(graph, leaky_relu(graph, body));
      if (residual) bent = add(graph, std::array{bent, convolution(graph, silu(graph, bent), {.out = 16})});
      value = concat(graph, {features, bent});
      if (stage % 2 == 1) value = concat(graph, {value, convolution(graph, value, {.out = 16})});
    }
    add_output(graph, "out", convolution(graph, value, {.out = 4}));
    CHECK(first_damage(schedule_of(graph, 1, {7, 9}, 16, {})) == "");
    engine_test::check_forward(graph, 1, {7, 9}, {}, "in place");
    CHECK(engine_test::check_gradients(graph, 1, {7, 9}, {}, "in place", 12));
  }
}
