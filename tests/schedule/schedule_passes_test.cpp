// The list of passes: what it refuses, a user's pass by name, and devices that can do less.
#include "engine/agreement.hpp"
#include "reference/random_graph.hpp"
#include "schedule/memory_model.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/engine/device.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/networks/registry.hpp>
#include <posemachine/schedule/capabilities.hpp>
#include <posemachine/schedule/edit.hpp>
#include <posemachine/schedule/make_schedule.hpp>
#include <posemachine/schedule/schedule_passes.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace schedule_passes_test {

using namespace posemachine;
using namespace posemachine::schedule;
using namespace posemachine::engine;

namespace {

// A pass of a user's own: a sum of one term is its term, which its readers then read.
// docs: begin pass
void drop_single_sums(Schedule& schedule, const PassContext&) {
  std::vector<bool> gone(schedule.steps.size(), false);
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    const Step& sum = schedule.steps[i];
    if (sum.kind() != OpKind::sum || sum.srcs.size() != 1 || is_output(*schedule.graph, sum.dst)) continue;
    for (Step& reader : schedule.steps) std::replace(reader.srcs.begin(), reader.srcs.end(), sum.dst, sum.srcs[0]);
    gone[i] = true;
  }
  erase_steps(schedule, gone);
}
constexpr SchedulePass drop_single_sums_pass{
    .name = "drop_single_sums",
    .does = "a sum of one term is not computed",
    .run = drop_single_sums,
    .after = {"pool_early"},
};
// docs: end pass

std::string refusal(const auto& action) {
  try {
    action();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

std::string names_of(const SchedulePasses& passes) {
  std::string text;
  for (const SchedulePass& pass : passes.rows()) text += std::string(pass.name) + " ";
  return text;
}

Graph with_single_sums() {
  Graph graph;
  const Value a = add(graph, std::array{convolution(graph, add_input(graph, "image", 3), {.out = 16, .kernel = 3})});
  const Value b = relu(graph, add(graph, std::array{a}));
  add_output(graph, "out", add(graph, std::array{convolution(graph, b, {.out = 4})}));
  return graph;
}

int count_eltwise(const Schedule& schedule) {
  return static_cast<int>(std::count_if(schedule.steps.begin(), schedule.steps.end(),
                                        [](const Step& step) { return step.activation() >= 0; }));
}

}  // namespace

TEST_CASE("schedule passes: each has a name of its own, a line that says what it does, and its place behind others") {
  const std::string order =
      "pool_early fuse_sum fuse_activation choose_layouts choose_winograd fold_gates share_slices share_branches "
      "in_place ";
  CHECK(names_of({}) == order);
  for (std::size_t i = 0; i < library_schedule_passes.size(); ++i) {
    const SchedulePass& pass = library_schedule_passes[i];
    CHECK_FALSE(pass.does.empty());
    for (std::size_t k = 0; k < i; ++k) CHECK(pass.name != library_schedule_passes[k].name);
    for (const std::string_view name : pass.after) CHECK_MESSAGE(SchedulePasses().contains(name), name);
  }
}

TEST_CASE("schedule passes: what is not there, there twice or without a function is refused by name") {
  const SchedulePasses passes;
  CHECK(refusal([&] { passes.without("fuse_sums"); }) ==
        "schedule passes: expected one of pool_early, fuse_sum, fuse_activation, choose_layouts, choose_winograd, "
        "fold_gates, share_slices, share_branches, in_place, got fuse_sums");
  CHECK(refusal([&] { passes.without("in_place").without("in_place"); }).ends_with("got in_place"));
  CHECK(
      refusal([&] { passes.with(in_place_pass); }).starts_with("schedule passes: expected a name that is not one of"));
  CHECK(refusal([&] { passes.with({.name = "mine", .does = "nothing"}); }) ==
        "schedule passes: expected a name and a function, got mine");
  CHECK(refusal([&] { SchedulePasses::none().with(drop_single_sums_pass); }).ends_with("got pool_early"));
}

TEST_CASE("schedule passes: a user's stands behind what it names, and the execution that runs it equals the oracle") {
  const SchedulePasses passes = SchedulePasses().with(drop_single_sums_pass);
  CHECK(names_of(passes).starts_with("pool_early drop_single_sums fuse_sum "));
  CHECK(passes.without("drop_single_sums").rows().size() == library_schedule_passes.size());
  const Graph graph = with_single_sums();
  Schedule schedule = make_schedule(graph, 1, {8, 8}, Mode::inference);
  const std::size_t before = schedule.steps.size();
  passes.run(schedule);
  CHECK(count_eltwise(schedule) == 1);  // nothing stands between the convolution and its ReLU any more
  CHECK(schedule.steps.size() == before - 3);
  ProgramOptions options;
  options.passes = passes;
  engine_test::check_forward(graph, 2, {8, 8}, options, "a pass of a user's own");
  CHECK(engine_test::check_gradients(graph, 2, {8, 8}, options, "a pass of a user's own"));
}

TEST_CASE("capabilities: schedules ask for nothing that a device cannot do") {
  int steps = 0;
  for (const NamedNetwork& network : networks) {
    CAPTURE(network.name);
    for (const bool training : {false, true}) {
      const Graph graph = training ? differentiate(network.build()) : network.build();
      Schedule schedule =
          make_schedule(graph, 1, {128, 128}, training ? Mode::training : Mode::inference, least_capabilities());
      SchedulePasses().run(schedule);
      for (const ScheduledValue& value : schedule.values) {
        CHECK(value.layout == Layout::plain);
        CHECK(value.parent == -1);
      }
      for (const Step& step : schedule.steps) {
        ++steps;
        CHECK(step.post_ops.empty());
        CHECK(step.gates.empty());
        CHECK(step.algorithm == Algorithm::direct);
        CHECK_FALSE(step.elided);
        CHECK(step.op != &reorder_op);
      }
    }
  }
  CHECK(steps > 1000);
}

TEST_CASE("capabilities: held to less, the processor computes random networks and their gradients as the oracle does") {
  std::vector<Capabilities> held{least_capabilities()};
  const Capabilities whole = Device::cpu().capabilities();
  held.emplace_back(whole).blocked = false;
  held.emplace_back(whole).channel_slices = false;
  held.emplace_back(whole).in_place = false;
  held.emplace_back(whole).post_op_sum = false;
  held.emplace_back(whole).has_post_op = [](const OpInfo& op) { return op.name == "relu"; };
  int checked = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const auto random = reference::random_graph(
        seed, {.steps = 14, .most_channels = seed % 2 == 0 ? 40 : 9, .residuals = seed % 3 == 0});
    for (std::size_t k = 0; k < held.size(); ++k) {
      ProgramOptions options;
      options.device = Device::cpu().with(held[k]);
      const std::string what = "seed " + std::to_string(seed) + ", capabilities " + std::to_string(k);
      engine_test::check_forward(random.graph, random.batch, random.image, options, what);
      checked += engine_test::check_gradients(random.graph, random.batch, random.image, options, what) ? 1 : 0;
    }
  }
  CHECK(checked >= 60);
}

}  // namespace schedule_passes_test
