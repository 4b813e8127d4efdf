// share_branches on small schedules, and what the kernels then compute.
#include "engine/agreement.hpp"
#include "environment.hpp"
#include "schedule/memory_model.hpp"

#include <posemachine/core/random.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/schedule/make_schedule.hpp>
#include <posemachine/schedule/passes/share_branches.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace share_branches_test {

using namespace posemachine;
using namespace posemachine::schedule;
using schedule_test::first_damage;
using schedule_test::schedule_of;
using schedule_test::step_of;

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
      maps.push_back(
          convolution(graph, relu(graph, convolution(graph, value, {.out = 16, .kernel = 3})), {.out = map_count}));
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

// Chains whose concats, sums, gates and activations take up whole-block values made long before.
class Chain {
 public:
  explicit Chain(std::uint64_t seed, int steps) : stream_(seed, Purpose::test, 29) {
    made_.push_back(convolution(graph, add_input(graph, "image", 3), {.out = 16}));
    Value value = made_.back();
    for (int step = 0; step < steps; ++step) {
      value = grow(value);
      made_.push_back(value);
      if (draw(0, 3) == 0) made_.push_back(convolution(graph, value, {.out = 16}));
    }
    add_output(graph, "maps", convolution(graph, value, {.out = 4}));
    if (draw(0, 1) == 1) add_output(graph, "side", any());
  }

  Graph graph;

 private:
  int draw(int low, int high) {
    return low + static_cast<int>(stream_.below(static_cast<std::uint64_t>(high - low + 1)));
  }
  Value any() { return made_[static_cast<std::size_t>(draw(0, static_cast<int>(made_.size()) - 1))]; }

  Value grow(Value value) {
    const int kind = draw(0, 11);
    if (kind < 4) return convolution(graph, value, {.out = 16 * draw(1, 3)});
    if (kind < 8) {
      std::vector<Value> branches;
      int channel_count = 0;
      for (int i = draw(2, 3); i > 0; --i) {
        const Value branch = draw(0, 2) == 0 ? made_.back() : any();
        channel_count += channels(graph, branch);
        if (channel_count <= 128) branches.push_back(branch);
      }
      if (branches.size() < 2) return value;
      const Value whole = concat(graph, branches);
      if (draw(0, 2) == 0) made_.push_back(whole);
      return draw(0, 3) == 0 ? whole : convolution(graph, whole, {.out = 16 * draw(1, 2)});
    }
    if (kind == 8) return relu(graph, any());
    if (kind == 9) return leaky_relu(graph, value);
    if (kind == 10) {
      const Value other = any();
      const Value body = convolution(graph, value, {.out = channels(graph, other)});
      return draw(0, 1) == 0 ? add(graph, std::array{other, body}) : add(graph, std::array{body, other});
    }
    const Value gate = convolution(graph, global_average_pool(graph, value), {.out = channels(graph, value)});
    return channel_scale(graph, value, sigmoid(graph, gate));
  }

  RandomStream stream_;
  std::vector<Value> made_;
};

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
    CHECK(copies(schedule_of(net.graph, 1, {7, 9}, 16, {.passes = SchedulePasses().without("share_branches")})) == 3);
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

TEST_CASE("share_branches: a buffer grows by less than it saves to copy, before and behind what it held") {
  for (const int grown : {16, 32}) {
    for (const bool behind : {true, false}) {
      Graph graph;
      const Value features = convolution(graph, add_input(graph, "image", 3), {.out = 32});
      const Value small = convolution(graph, features, {.out = 16});
      const Value first = concat(graph, behind ? std::vector{features, small} : std::vector{small, features});
      const Value wide = convolution(graph, convolution(graph, first, {.out = 16}), {.out = 16 + grown});
      const Value second = concat(graph, behind ? std::vector{features, wide} : std::vector{wide, features});
      const Value between = convolution(graph, second, {.out = 16});
      // Once more, on the other side of the features, and over a buffer that has grown.
      const Value third = concat(graph, behind ? std::vector{between, features} : std::vector{features, between});
      add_output(graph, "out", convolution(graph, third, {.out = 4}));
      const Schedule schedule = schedule_of(graph, 1, {7, 9}, 16, {});
      CHECK(copies(schedule) == (grown < 32 ? 0 : 1));
      CHECK(first_damage(schedule) == "");
      const ScheduledValue& buffer = schedule.value(schedule.place(features.id).root);
      CHECK(buffer.buffer_channels == (grown < 32 ? 80 : 64));
      engine_test::check_forward(graph, 1, {7, 9}, {}, "grown");
      CHECK(engine_test::check_gradients(graph, 1, {7, 9}, {}, "grown", 12));
    }
  }
}

TEST_CASE("share_branches: a concat of several images keeps a buffer of its own") {
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

TEST_CASE("share_branches: a concat of two branches that stand in two earlier ones takes only one of them along") {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  const auto learn = [&](Value value) { return convolution(graph, value, {.out = 16, .kernel = 3}); };
  const Value first = learn(image);
  const Value second = learn(image);
  const Value third = learn(learn(concat(graph, {second, first})));
  const Value beside = learn(third);
  const Value read = learn(concat(graph, {third, beside}));
  const Value both = learn(concat(graph, {third, first}));  // `beside` stood where `first` would come to stand
  add_output(graph, "read", read);
  add_output(graph, "both", both);
  CHECK(first_damage(schedule_of(graph, 1, {7, 9}, 16, {})) == "");
  engine_test::check_forward(graph, 1, {7, 9}, {}, "two earlier concats");
}

TEST_CASE("share_branches: in place work on a concat counts from its oldest branch") {
  Graph graph;
  const auto learn = [&](Value value, int out) { return convolution(graph, value, {.out = out, .kernel = 3}); };
  const Value oldest = learn(add_input(graph, "image", 3), 16);
  const Value features = learn(oldest, 16);
  const Value read = learn(concat(graph, {features, learn(features, 32)}), 16);
  const Value bent = leaky_relu(graph, concat(graph, {oldest, learn(read, 16)}));
  add_output(graph, "maps", learn(concat(graph, {features, bent}), 4));
  CHECK(first_damage(schedule_of(graph, 1, {7, 9}, 16, {})) == "");
  engine_test::check_forward(graph, 1, {7, 9}, {}, "oldest branch");
}

TEST_CASE("share_branches: long chains of concats that take up what was made long before lose nothing") {
  int elided = 0;
  int grown = 0;
  int folded = 0;
  const int most = test_environment::cases(3000);
  for (int seed = 1; seed <= most; ++seed) {
    const Chain chain(static_cast<std::uint64_t>(seed), 10 + seed % 50);
    // Inference folds gates into weights: then concats hold what was gated.
    const Mode mode = seed % 2 == 0 ? Mode::inference : Mode::training;
    const Size image = seed % 100 == 0 || mode == Mode::training ? Size{1, 2} : Size{10, 12};
    const Schedule schedule = schedule_of(chain.graph, 1, image, 16, {.mode = mode});
    for (const Step& step : schedule.steps) {
      elided += schedule.node(step).op == &concat_op && step.elided ? 1 : 0;
      folded += step.gates.empty() ? 0 : 1;
    }
    for (const ScheduledValue& value : schedule.values) grown += value.buffer_channels > 0 ? 1 : 0;
    const std::string damage = first_damage(schedule);
    CHECK_MESSAGE(damage == "", "seed " << seed);
    if (seed % 100 == 0) engine_test::check_forward(chain.graph, 1, {1, 2}, {}, "chain");
  }
  CHECK(elided > 3 * most);
  CHECK(grown > most / 30);
  CHECK(folded > most / 30);
}

}  // namespace share_branches_test
