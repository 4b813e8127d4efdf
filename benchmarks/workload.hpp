// What the benchmarks share: inputs that change, the work of an execution, and ops and modules measured by themselves.
#pragma once

#include <posemachine/core/random.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/graph/passes/for_inference.hpp>
#include <posemachine/graph/queries.hpp>
#include <posemachine/model/initialise.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace workload {

namespace pm = posemachine;

inline constexpr std::size_t turn_count = 4;  // different inputs in turn: one alone would stay in the caches

inline std::vector<std::vector<float>> random_inputs(std::size_t floats) {
  std::vector<std::vector<float>> inputs(turn_count, std::vector<float>(floats));
  for (std::size_t turn = 0; turn < turn_count; ++turn) {
    pm::RandomStream stream(1, pm::Purpose::test, turn);
    for (float& value : inputs[turn]) value = static_cast<float>(stream.uniform(-0.5, 0.5));
  }
  return inputs;
}

inline pm::engine::Execution make_execution(pm::Graph graph, std::vector<pm::Tensor> parameters,
                                            const pm::engine::ProgramOptions& options) {
  auto shared = std::make_shared<const std::vector<pm::Tensor>>(std::move(parameters));
  return pm::engine::Execution(std::move(graph), std::make_shared<pm::engine::PreparedWeights>(std::move(shared)),
                               options);
}

/// What steps do in one run.
struct Work {
  double flops = 0;  // 2 for each multiply-add; Winograd's are counted as if they were direct
  double bytes = 0;  // of maps and weights, read and written

  Work& operator+=(const Work& other) {
    flops += other.flops;
    bytes += other.bytes;
    return *this;
  }
};

/// A backward step takes the multiply-adds of its forward node for each gradient: that of src, that of weights.
inline Work work_of(const pm::engine::Execution& execution, const pm::engine::ProgramStep& step) {
  const std::vector<pm::Node>& nodes = execution.graph().nodes;
  const int forward = nodes[static_cast<std::size_t>(step.node)].forward;
  std::int64_t multiply_adds = step.multiply_adds;
  if (forward >= 0) {
    const pm::Node& node = nodes[static_cast<std::size_t>(forward)];
    const pm::schedule::ScheduledValue& dst = execution.schedule().value(node.dst);
    multiply_adds = dst.n * pm::count_multiply_adds(execution.graph(), node, {dst.h, dst.w});
  }
  return {2.0 * static_cast<double>(multiply_adds), static_cast<double>(step.bytes)};
}

inline Work work_of(const pm::engine::Execution& execution) {
  Work work;
  for (const pm::engine::ProgramStep& step : execution.steps()) work += work_of(execution, step);
  return work;
}

inline void report(benchmark::State& state, const Work& work, std::size_t arena_bytes) {
  const auto rate = benchmark::Counter::kIsIterationInvariantRate;
  if (work.flops > 0) state.counters["FLOP/s"] = benchmark::Counter(work.flops, rate);
  state.counters["bytes/s"] = benchmark::Counter(work.bytes, rate);
  state.counters["arena_bytes"] = static_cast<double>(arena_bytes);
}

enum class SourceKind {
  map,
  image,  // nobody wants its gradient
  gate,   // a global value
};

struct Source {
  int channels = 0;
  SourceKind kind = SourceKind::map;

  Source(int channel_count, SourceKind of = SourceKind::map) : channels(channel_count), kind(of) {}
};

/// An op or a module, and the shape in which it occurs.
struct Part {
  std::string name;
  int side = 0;  // of the maps it reads: side x side cells
  std::vector<Source> sources;
  std::function<pm::Value(pm::Graph&, std::span<const pm::Value>)> lower;
};

enum class Pass { forward, gradients };

/// A part between inputs and a pooling that reads its maps, so that no copy to the caller is among its steps.
struct PartGraph {
  pm::Graph graph;
  std::vector<pm::Tensor> parameters;
  std::vector<bool> measured;  // by node

  PartGraph(const Part& part, Pass pass) {
    std::vector<pm::Value> values;
    for (const Source& source : part.sources) {
      pm::Value value = pm::add_input(graph, "src_" + std::to_string(values.size() + 1), source.channels);
      // Where something is learnt before the part, the gradient of src is wanted.
      if (pass == Pass::gradients && source.kind != SourceKind::image) value = pm::batch_norm(graph, value);
      if (source.kind == SourceKind::gate) value = pm::global_average_pool(graph, value);
      values.push_back(value);
    }
    const auto lower = [&](pm::Graph& inside, pm::Value) { return part.lower(inside, values); };
    pm::Value dst = pm::in_block(graph, "Part", lower, values.front());
    if (!pm::stride_of(graph, dst).global) dst = pm::max_pool(graph, dst, {.window = 2});
    graph.outputs.clear();  // a stage has some
    pm::add_output(graph, "dst", dst);
    parameters = pm::initialise(graph, 1);
    if (pass == Pass::forward) pm::prepare_for_inference(graph, parameters);
    const std::size_t first = pass == Pass::forward ? 0 : graph.nodes.size();
    if (pass == Pass::gradients) graph = pm::differentiate(graph);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      const bool inside = pm::scope_path(graph, graph.nodes[i].scope).starts_with("Part");
      const bool sum_for_src = pass == Pass::gradients && graph.nodes[i].op == &pm::add_op;
      measured.push_back(i >= first && (inside || sum_for_src));
    }
  }

  bool empty() const { return std::find(measured.begin(), measured.end(), true) == measured.end(); }
};

/// Runs everything, times the part's own steps: all of them, or those of its gradients.
inline void measure(benchmark::State& state, const Part& part, Pass pass, const pm::schedule::SchedulePasses& passes) {
  const PartGraph built(part, pass);
  pm::engine::ProgramOptions options;
  options.image = {part.side, part.side};
  options.threads = static_cast<int>(state.range(0));
  options.mode = pass == Pass::forward ? pm::schedule::Mode::inference : pm::schedule::Mode::training;
  options.passes = passes;
  pm::engine::Execution execution = make_execution(built.graph, built.parameters, options);

  const std::vector<pm::engine::ProgramStep> steps = execution.steps();
  std::vector<std::size_t> measured;
  Work work;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!built.measured[static_cast<std::size_t>(steps[i].node)]) continue;
    measured.push_back(i);
    work += work_of(execution, steps[i]);
  }
  if (measured.empty()) return state.SkipWithError("nothing is left to run");

  std::vector<std::vector<std::vector<float>>> inputs;  // by input, by turn
  for (const pm::Port& port : execution.graph().inputs) {
    inputs.push_back(random_inputs(execution.input(pm::Value{port.value}).size()));
  }
  std::vector<double> seconds(steps.size());
  std::size_t turn = 0;
  for (auto _ : state) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      execution.bind_input(pm::Value{execution.graph().inputs[i].value}, inputs[i][turn].data());
    }
    turn = (turn + 1) % turn_count;
    execution.run_timed(seconds);
    state.SetIterationTime(std::accumulate(measured.begin(), measured.end(), 0.0,
                                           [&](double sum, std::size_t step) { return sum + seconds[step]; }));
  }
  report(state, work, execution.arena_bytes());
}

/// "forward/concat/256+15x46x46" and "gradients/...", where they have steps at all.
inline void register_part(const Part& part, const pm::schedule::SchedulePasses& passes = {}) {
  std::string shape;
  for (const Source& source : part.sources) shape += (shape.empty() ? "" : "+") + std::to_string(source.channels);
  shape += "x" + std::to_string(part.side) + "x" + std::to_string(part.side);
  for (const Pass pass : {Pass::forward, Pass::gradients}) {
    if (PartGraph(part, pass).empty()) continue;
    const std::string name = (pass == Pass::forward ? "forward/" : "gradients/") + part.name + "/" + shape;
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { measure(state, part, pass, passes); })
        ->ArgName("threads")
        ->Arg(1)
        ->Arg(2)
        ->Unit(benchmark::kMicrosecond)
        ->UseManualTime();
  }
}

inline int run_registered(int argument_count, char** arguments) {
  benchmark::Initialize(&argument_count, arguments);
  if (benchmark::ReportUnrecognizedArguments(argument_count, arguments)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace workload
