// assign_arena, and all passes together on a model of memory.
#include "environment.hpp"
#include "reference/random_graph.hpp"
#include "schedule/memory_model.hpp"

#include <posemachine/core/random.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/networks/registry.hpp>
#include <posemachine/schedule/cost_model.hpp>
#include <posemachine/schedule/make_schedule.hpp>
#include <posemachine/schedule/memory_plan.hpp>
#include <posemachine/schedule/schedule_passes.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace liveness_test {

using namespace posemachine;
using namespace posemachine::schedule;
using schedule_test::first_damage;
using schedule_test::schedule_of;
using schedule_test::Scheduling;

namespace {

std::vector<Scheduling> each_pass_off() {
  std::vector<Scheduling> all(1);
  for (const SchedulePass& pass : library_schedule_passes) {
    all.emplace_back().passes = SchedulePasses().without(pass.name);
  }
  all.emplace_back().reuse_memory = false;
  return all;
}

// A schedule of buffers alone: lengths of life and sizes are draws.
Schedule random_buffers(std::uint64_t seed) {
  RandomStream stream(seed, Purpose::test, 20);
  const auto draw = [&](int low, int high) {
    return low + static_cast<int>(stream.below(static_cast<std::uint64_t>(high - low + 1)));
  };
  const int steps = draw(1, 40);
  Schedule schedule;
  schedule.values.resize(static_cast<std::size_t>(draw(1, 60)));
  for (ScheduledValue& value : schedule.values) {
    value.n = draw(1, 2);
    value.c = draw(1, 40);
    value.h = draw(1, 5);
    value.w = draw(1, 5);
    value.external = draw(1, 10) == 1;
    if (draw(1, 10) == 1) continue;  // never written
    value.first_step = draw(0, steps - 1);
    value.last_step = draw(value.first_step, steps - 1);
  }
  for (int i = draw(0, 8); i > 0; --i) {
    const int first = draw(0, steps - 1);
    schedule.workspaces.push_back({static_cast<std::size_t>(draw(1, 3000)), first, draw(first, steps - 1), 0});
  }
  return schedule;
}

struct Buffer {
  int first;
  int last;
  std::size_t begin;
  std::size_t end;
};

std::vector<Buffer> buffers_of(const Schedule& schedule) {
  std::vector<Buffer> buffers;
  for (const ScheduledValue& value : schedule.values) {
    if (value.first_step < 0 || value.external) continue;
    buffers.push_back({value.first_step, value.last_step, value.arena_offset, value.arena_offset + value.bytes()});
  }
  for (const Workspace& space : schedule.workspaces) {
    buffers.push_back({space.first_step, space.last_step, space.arena_offset, space.arena_offset + space.bytes});
  }
  return buffers;
}

int overlaps(const std::vector<Buffer>& buffers, bool together_only) {
  int count = 0;
  for (std::size_t a = 0; a < buffers.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      const bool together = buffers[a].first <= buffers[b].last && buffers[b].first <= buffers[a].last;
      const bool overlap = buffers[a].begin < buffers[b].end && buffers[b].begin < buffers[a].end;
      count += overlap && (together || !together_only) ? 1 : 0;
    }
  }
  return count;
}

}  // namespace

TEST_CASE("assign_arena: buffers alive at the same step never overlap, and with reuse off none do") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Schedule schedule = random_buffers(seed);
    for (const bool reuse : {true, false}) {
      assign_arena(schedule, reuse);
      const std::vector<Buffer> buffers = buffers_of(schedule);
      CHECK(overlaps(buffers, reuse) == 0);
      std::size_t end = 0;
      std::size_t sum = 0;
      bool aligned = true;
      for (const Buffer& buffer : buffers) {
        end = std::max(end, buffer.end);
        sum += buffer.end - buffer.begin;
        aligned = aligned && buffer.begin % 64 == 0;
      }
      CHECK(aligned);
      CHECK(end == schedule.arena_bytes);
      if (!reuse) CHECK(schedule.arena_bytes >= sum);
    }
  }
}

TEST_CASE("assign_arena: a chain of maps of one size needs two of them") {
  Graph graph;
  Value value = add_input(graph, "image", 16);
  for (int i = 0; i < 6; ++i) value = convolution(graph, value, {.out = 16, .kernel = 3});
  add_output(graph, "out", value);
  Schedule schedule = make_schedule(graph, 1, {8, 8}, Mode::inference);
  assign_arena(schedule, true);
  CHECK(schedule.arena_bytes == std::size_t{2} * 16 * 8 * 8 * sizeof(float));
  assign_arena(schedule, false);
  CHECK(schedule.arena_bytes == std::size_t{7} * 16 * 8 * 8 * sizeof(float));
}

TEST_CASE("assign_arena: a value inside another lives in its memory, which lives as long as any of them") {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  const Value first = convolution(graph, image, {.out = 16});
  const Value second = convolution(graph, image, {.out = 16});
  const Value whole = concat(graph, {first, second});
  add_output(graph, "out", convolution(graph, whole, {.out = 16}));
  const Schedule schedule = schedule_of(graph, 1, {4, 4}, 16, {});
  CHECK(schedule.place(first.id).root == whole.id);
  CHECK(schedule.arena_bytes == std::size_t{48} * 4 * 4 * sizeof(float));
  CHECK(first_damage(schedule).empty());
}

TEST_CASE("assign_arena: the library's networks take 1.02 times what is alive at once, forward and backward") {
  for (const NamedNetwork& network : networks) {
    for (const bool training : {false, true}) {
      CAPTURE(network.name);
      CAPTURE(training);
      const Graph graph = training ? differentiate(network.build()) : network.build();
      Schedule schedule = make_schedule(graph, 1, {256, 256}, training ? Mode::training : Mode::inference);
      SchedulePasses().run(schedule);
      assign_arena(schedule, true);
      std::vector<std::size_t> alive(schedule.steps.size(), 0);
      for (std::size_t root = 0; root < schedule.values.size(); ++root) {
        const ScheduledValue& buffer = schedule.values[root];
        if (buffer.parent >= 0 || buffer.external) continue;
        std::size_t first = alive.size();
        std::size_t last = 0;
        for (std::size_t id = 0; id < schedule.values.size(); ++id) {
          const ScheduledValue& value = schedule.values[id];
          if (value.first_step < 0 || schedule.place(static_cast<int>(id)).root != static_cast<int>(root)) continue;
          first = std::min(first, static_cast<std::size_t>(value.first_step));
          last = std::max(last, static_cast<std::size_t>(value.last_step));
        }
        for (std::size_t step = first; step < alive.size() && step <= last; ++step) {
          alive[step] += buffer.buffer_bytes();
        }
      }
      const auto bound = static_cast<double>(*std::max_element(alive.begin(), alive.end()));
      CHECK(static_cast<double>(schedule.arena_bytes) >= bound);
      CHECK(static_cast<double>(schedule.arena_bytes) < 1.02 * bound);
    }
  }
}

TEST_CASE("memory model: two values in one place are found out") {
  Graph graph;
  const Value image = add_input(graph, "image", 16);
  const Value first = convolution(graph, image, {.out = 16});
  const Value second = convolution(graph, image, {.out = 16});
  add_output(graph, "out", add(graph, std::array{first, second}));
  Schedule schedule =
      schedule_of(graph, 1, {4, 4}, 16, {.passes = SchedulePasses().without("fuse_sum").without("in_place")});
  CHECK(first_damage(schedule).empty());
  schedule.value(second.id).arena_offset = schedule.value(first.id).arena_offset;
  CHECK(first_damage(schedule) == "step 3 (node 3 (add)) finds value 2 where value 1 should be");
  schedule.value(second.id).parent = image.id;  // still read by nobody: allowed
  CHECK(first_damage(schedule).empty());
  schedule.value(first.id).parent = image.id;  // but the second convolution reads the image after the first
  CHECK(first_damage(schedule) == "step 2 (node 2 (convolution in Conv_2)) finds value 1 where value 0 should be");
}

TEST_CASE("passes: no step of random networks reads what another has overwritten, whichever passes are on") {
  const auto most = static_cast<std::uint64_t>(test_environment::cases(80));
  std::uint64_t shared = 0;
  for (std::uint64_t seed = 1; seed <= most; ++seed) {
    const bool wide = seed % 2 == 0;
    const auto random =
        reference::random_graph(seed, {.steps = 24, .most_channels = wide ? 48 : 9, .residuals = seed % 4 >= 2});
    const Graph graph = differentiate(random.graph, {.input_gradients = seed % 3 == 0});
    for (const int block : {8, 16}) {
      for (const Scheduling& options : each_pass_off()) {
        for (const Graph* which : std::array<const Graph*, 2>{&random.graph, &graph}) {
          const Schedule schedule = schedule_of(*which, wide ? 1 : random.batch, random.image, block, options);
          const std::string damage = first_damage(schedule);
          CHECK_MESSAGE(damage.empty(), "seed " << seed << " block " << block << ": " << damage);
          for (const ScheduledValue& value : schedule.values) shared += value.parent >= 0 ? 1U : 0U;
        }
      }
    }
  }
  CHECK(shared > 100 * most);  // the passes had work to do
}

TEST_CASE("passes: nor does a step of the named networks, whose concats and slices nearly all share memory") {
  for (const NamedNetwork& network : networks) {
    const bool merges = network.name.starts_with("scaling-dilation");
    const Graph forward = network.build();
    const Size image = merges && largest_stride(forward) == 8 ? Size{24, 32} : Size{32, 64};
    const Graph graph = differentiate(forward);
    for (const int block : {8, 16}) {
      for (const Scheduling& options : each_pass_off()) {
        CHECK(first_damage(schedule_of(forward, 1, image, block, options)) == "");
        const Schedule schedule = schedule_of(graph, 1, image, block, options);
        CHECK(first_damage(schedule) == "");
        int mergers = 0;
        int elided = 0;
        for (const Step& step : schedule.steps) {
          mergers += step.kind() == OpKind::concat || step.kind() == OpKind::slice ? 1 : 0;
          elided += step.elided ? 1 : 0;
        }
        if (!merges) continue;
        CHECK(mergers > 50);
        if (options.passes.contains("share_slices"))
          CHECK(elided > mergers * 9 / 10);
        else
          CHECK(elided == 0);
      }
    }
  }
}

}  // namespace liveness_test
