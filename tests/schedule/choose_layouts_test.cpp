// choose_layouts: the cheapest cut, the moves that it needs, and what the kernels then compute.
#include "engine/agreement.hpp"
#include "reference/random_graph.hpp"
#include "schedule/forced_costs.hpp"
#include "schedule/memory_model.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/engine/device.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/modules/residual.hpp>
#include <posemachine/schedule/make_schedule.hpp>
#include <posemachine/schedule/minimum_cut.hpp>
#include <posemachine/schedule/passes/choose_layouts.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace choose_layouts_test {

using namespace posemachine;
using namespace posemachine::schedule;
using namespace posemachine::engine;
using engine_test::forced_costs;
using schedule_test::first_damage;
using schedule_test::schedule_of;

namespace {

int moves_in(const Schedule& schedule) {
  return static_cast<int>(std::count_if(schedule.steps.begin(), schedule.steps.end(),
                                        [](const Step& step) { return step.op == &reorder_op; }));
}

int channels_last_in(const Schedule& schedule) {
  return static_cast<int>(std::count_if(schedule.steps.begin(), schedule.steps.end(), [&](const Step& step) {
    return step.op != &reorder_op && schedule.value(step.dst).layout == Layout::channels_last;
  }));
}

// Residual blocks of a width that leaves a third of the last block of 16 channels empty.
Graph ragged_residual(int blocks) {
  Graph graph;
  Value value = relu(graph, convolution(graph, add_input(graph, "image", 3), {.out = 24, .kernel = 3}));
  for (int i = 0; i < blocks; ++i) value = residual_block(graph, value, 24, {.norm = Norm::none});
  add_output(graph, "maps", convolution(graph, value, {.out = 15}));
  return graph;
}

// What a choice costs as a whole, added up step by step.
double cost_of(const Schedule& schedule, const CostModel& costs, const std::vector<bool>& channels_last) {
  double total = 0;
  std::vector<int> writer(schedule.values.size(), -1);
  std::set<std::pair<int, bool>> moved;
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    const Step& step = schedule.steps[i];
    const schedule::detail::LayoutCosts each = schedule::detail::layout_costs(schedule, step, {&costs, 1});
    total += channels_last[i] ? each.channels_last : each.blocked;
    step.for_each_read([&](int value) {
      if (schedule.value(value).layout == Layout::plain) return;
      const bool other = channels_last[static_cast<std::size_t>(writer[static_cast<std::size_t>(value)])];
      if (other == channels_last[i] || !moved.insert({value, channels_last[i]}).second) return;
      total += CostModel::move(2 * static_cast<double>(schedule.value(value).bytes()), 1);
    });
    writer[static_cast<std::size_t>(step.dst)] = static_cast<int>(i);
  }
  return total;
}

}  // namespace

TEST_CASE("MinimumCut: no other sides of 300 random networks cost less") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    RandomStream stream(seed, Purpose::test, 31);
    schedule::detail::MinimumCut cut;
    constexpr int extra = 7;
    for (int i = 0; i < extra; ++i) cut.add_node();
    struct Edge {
      int from, to;
      double cost;
    };
    std::vector<Edge> edges;
    for (int i = 0; i < 24; ++i) {
      const auto draw = [&] { return static_cast<int>(stream.below(extra + 2)); };
      edges.push_back({draw(), draw(), stream.uniform(0, 10)});
      if (seed % 3 == 0 && i % 6 == 0) edges.back().cost = std::numeric_limits<double>::infinity();
      cut.add_edge(edges.back().from, edges.back().to, edges.back().cost);
    }
    const auto cost = [&](const std::vector<bool>& side) {
      double total = 0;
      for (const Edge& edge : edges) {
        if (side[static_cast<std::size_t>(edge.from)] && !side[static_cast<std::size_t>(edge.to)]) total += edge.cost;
      }
      return total;
    };
    double least = std::numeric_limits<double>::infinity();
    for (int bits = 0; bits < 1 << extra; ++bits) {
      std::vector<bool> side{true, false};
      for (int i = 0; i < extra; ++i) side.push_back((bits >> i & 1) != 0);
      least = std::min(least, cost(side));
    }
    const double found = std::isinf(least) ? least : cost(cut.solve());
    CHECK_MESSAGE((found == least || std::abs(found - least) < 1e-6), "seed " << seed << " " << found << " " << least);
  }
}

TEST_CASE("choose_layouts: no other choice for random networks of up to 14 steps costs less") {
  int mixed = 0;
  for (std::uint64_t seed = 1; seed <= 250; ++seed) {
    const auto random = reference::random_graph(seed, {.steps = 8, .most_channels = 40, .residuals = seed % 2 == 0});
    Schedule schedule = make_schedule(random.graph, 1, random.image, Mode::inference);
    fuse_sum(schedule);
    fuse_activation(schedule);
    if (schedule.steps.size() > 14) continue;
    CostModel costs;  // moves of such small maps cost some 3,000 ns
    RandomStream stream(seed, Purpose::test, 32);
    for (const Step& step : schedule.steps) {
      if (schedule.node(step).op != &convolution_op) continue;
      costs.set(convolution_case(schedule, step), 1,
                {stream.uniform(0, 40000), stream.uniform(0, 40000), stream.uniform(0, 40000)});
    }
    const std::vector<bool> chosen = schedule::detail::choose_channels_last(schedule, {&costs, 1});
    double least = CostModel::never;
    for (int bits = 0; bits < 1 << schedule.steps.size(); ++bits) {
      std::vector<bool> each;
      for (std::size_t i = 0; i < schedule.steps.size(); ++i) each.push_back((bits >> i & 1) != 0);
      least = std::min(least, cost_of(schedule, costs, each));
    }
    CHECK(cost_of(schedule, costs, chosen) == doctest::Approx(least).epsilon(1e-9));
    const auto count = std::count(chosen.begin(), chosen.end(), true);
    mixed += count > 0 && count < static_cast<std::ptrdiff_t>(chosen.size()) ? 1 : 0;
  }
  CHECK(mixed >= 20);
}

TEST_CASE("choose_layouts: by estimate ragged residual blocks have their channels last, whole blocks do not") {
  const Graph ragged = ragged_residual(3);
  const Schedule schedule = schedule_of(ragged, 1, {64, 64}, 16, {.mode = Mode::inference});
  CHECK(moves_in(schedule) == 1);  // behind the first convolution
  CHECK(channels_last_in(schedule) == 7);
  CHECK(first_damage(schedule_of(ragged, 1, {12, 12}, 16, {.mode = Mode::inference})) == "");
  engine_test::check_forward(ragged, 1, {64, 64}, {}, "ragged residual");
  // Too small for the move to pay; not for training; not where blocks have 8 channels.
  CHECK(channels_last_in(schedule_of(ragged, 1, {2, 2}, 16, {.mode = Mode::inference})) == 0);
  CHECK(channels_last_in(schedule_of(ragged, 1, {64, 64}, 16, {.mode = Mode::training})) == 0);
  CHECK(channels_last_in(schedule_of(ragged, 1, {64, 64}, 8, {.mode = Mode::inference})) == 0);
  Graph whole;
  Value value = relu(whole, convolution(whole, add_input(whole, "image", 3), {.out = 32, .kernel = 3}));
  for (int i = 0; i < 3; ++i) value = residual_block(whole, value, 32, {.norm = Norm::none});
  add_output(whole, "maps", value);
  CHECK(channels_last_in(schedule_of(whole, 1, {64, 64}, 16, {.mode = Mode::inference})) == 0);
}

TEST_CASE("choose_layouts: a convolution that cannot be had on either layout, and one whose times are no times") {
  const Graph graph = ragged_residual(1);
  Schedule schedule = make_schedule(graph, 1, {16, 16}, Mode::inference);
  const ConvolutionCase which = convolution_case(schedule, schedule.steps.back());
  CostModel costs;
  CHECK_THROWS_AS(costs.set(which, 1, {CostModel::never, CostModel::never, CostModel::never}), UsageError);
  CHECK_THROWS_AS(costs.set(which, 1, {1, std::numeric_limits<double>::quiet_NaN(), 1}), UsageError);
  CHECK_THROWS_AS(costs.set(which, 1, {1, 2, -1}), UsageError);
  schedule::detail::MinimumCut cut;
  cut.add_edge(schedule::detail::MinimumCut::source, schedule::detail::MinimumCut::sink,
               std::numeric_limits<double>::quiet_NaN());
  cut.add_edge(schedule::detail::MinimumCut::source, schedule::detail::MinimumCut::sink, CostModel::never);
  CHECK(cut.solve().front());
}

TEST_CASE("choose_layouts: gradients of a network that is not trained, batch norms fixed, come out right") {
  const Graph graph = differentiate(ragged_residual(2), {.input_gradients = true});
  const auto filling = reference::fill(graph, 1, {20, 20}, 11);
  const auto truth = reference::run(graph, 1, {20, 20}, filling.inputs, filling.parameters);
  ProgramOptions options;
  options.image = {20, 20};
  const auto ours = engine_test::run_graph(graph, filling, options);
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    CHECK(engine_test::relative_error(ours.outputs[i], truth[Value{graph.outputs[i].value}].values) < 1e-4);
  }
}

TEST_CASE("choose_layouts: a map that several read in the other layout is moved once") {
  Graph graph;
  const Value src = relu(graph, convolution(graph, add_input(graph, "image", 3), {.out = 17, .kernel = 3}));
  const Value one = convolution(graph, src, {.out = 33, .kernel = 3});
  const Value two = convolution(graph, src, {.out = 20, .kernel = 5});
  const Value three = depthwise_convolution(graph, src, {.kernel = 3});  // blocked in any case
  add_output(graph, "one", one);
  add_output(graph, "two", concat(graph, {two, one}));
  add_output(graph, "three", three);
  const CostModel costs = forced_costs(graph, {9, 10}, ConvolutionMethod::channels_last);
  const Schedule schedule = schedule_of(graph, 1, {9, 10}, 16, {.mode = Mode::inference, .costs = costs});
  CHECK(moves_in(schedule) == 1);
  CHECK(channels_last_in(schedule) == 3);
  CHECK(first_damage(schedule) == "");
  ProgramOptions options;
  options.costs = std::make_shared<const CostModel>(costs);
  engine_test::check_forward(graph, 1, {9, 10}, options, "one move");
}

TEST_CASE("choose_layouts: random networks on channels last wherever that goes equal the oracle, passes off in turn") {
  int last = 0;
  int kernels = 0;
  std::vector<ProgramOptions> choices = engine_test::pass_choices();  // the first has them all
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const auto random = reference::random_graph(
        seed, {.steps = 14, .most_channels = seed % 2 == 0 ? 40 : 9, .residuals = seed % 3 == 0});
    const CostModel costs = forced_costs(random.graph, random.image, ConvolutionMethod::channels_last);
    const Schedule schedule = schedule_of(random.graph, 1, random.image, 16, {.mode = Mode::inference, .costs = costs});
    CHECK(first_damage(schedule) == "");
    last += channels_last_in(schedule);
    for (ProgramOptions& options : choices) {
      options.costs = std::make_shared<const CostModel>(costs);
      for (const int batch : {1, random.batch}) {
        engine_test::check_forward(random.graph, batch, random.image, options, "seed " + std::to_string(seed));
      }
    }
    ProgramOptions options = choices.front();
    options.image = random.image;
    const auto filling = reference::fill(random.graph, 1, random.image, 3);
    // With the scratch memory of every step where the execution has put it.
    CHECK(first_damage(Execution(random.graph, engine_test::weights_of(random.graph, filling), options).schedule()) ==
          "");
    for (const ProgramStep& step : engine_test::run_graph(random.graph, filling, options).steps) {
      kernels += step.implementation.find("brgconv") != std::string::npos ? 1 : 0;
    }
  }
  CHECK(last >= 130);
  if (Device::cpu().block() == 16) CHECK(kernels >= 60);  // AVX-512
}

}  // namespace choose_layouts_test
