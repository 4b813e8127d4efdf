// How fast the named networks run and train: forward passes, and the gradients of a batch.
#include "workload.hpp"

#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/batch_gradients.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/passes/for_inference.hpp>
#include <posemachine/model/initialise.hpp>
#include <posemachine/networks/registry.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace pm = posemachine;

void report_images(benchmark::State& state, int images) {
  state.counters["images/s"] = benchmark::Counter(images, benchmark::Counter::kIsIterationInvariantRate);
}

void forward(benchmark::State& state, const pm::NamedNetwork& network) {
  pm::Graph graph = network.build();
  std::vector<pm::Tensor> parameters = pm::initialise(graph, 1);
  pm::prepare_for_inference(graph, parameters);
  pm::engine::ProgramOptions options;
  options.image = network.input;
  options.threads = static_cast<int>(state.range(0));
  pm::engine::Execution execution = workload::make_execution(std::move(graph), std::move(parameters), options);
  const std::span<float> input = execution.input("image");
  const auto images = workload::random_inputs(input.size());
  std::size_t turn = 0;
  for (auto _ : state) {
    std::copy(images[turn].begin(), images[turn].end(), input.begin());
    turn = (turn + 1) % images.size();
    execution.run();
    benchmark::DoNotOptimize(execution.output(execution.output_count() - 1).data());
  }
  workload::report(state, workload::work_of(execution), execution.arena_bytes());
  report_images(state, 1);
}

void gradients(benchmark::State& state, const pm::NamedNetwork& network) {
  const pm::Graph graph = network.build();
  const auto parameters = std::make_shared<std::vector<pm::Tensor>>(pm::initialise(graph, 1));
  const int batch = static_cast<int>(state.range(0));
  const int workers = static_cast<int>(state.range(1));
  const pm::Size image{128, 128};
  pm::engine::BatchGradients step(graph, parameters,
                                  {.batch = batch, .slice = batch / 2, .workers = workers, .image = image});
  const auto images = workload::random_inputs(static_cast<std::size_t>(batch) * 3 * 128 * 128);
  std::uint64_t count = 0;
  for (auto _ : state) {
    step.compute(
        "image", images[count % images.size()],
        [](const pm::engine::SliceView& view) {
          for (std::size_t k = 0; k < view.outputs.size(); ++k) {
            std::copy(view.outputs[k].begin(), view.outputs[k].end(), view.output_gradients[k].begin());
          }
        },
        1, count);
    ++count;
  }
  workload::Work work;
  for (int i = 0; i < step.slice_count(); ++i) work += workload::work_of(*step.executions().front());
  workload::report(state, work, step.executions().size() * step.executions().front()->arena_bytes());
  report_images(state, batch);
}

}  // namespace

int main(int argument_count, char** arguments) {
  for (const pm::NamedNetwork& network : pm::networks) {
    const std::string name(network.name);
    const std::string size = std::to_string(network.input.height) + "x" + std::to_string(network.input.width);
    benchmark::RegisterBenchmark(("forward/" + name + "/" + size).c_str(),
                                 [&network](benchmark::State& state) { forward(state, network); })
        ->ArgName("threads")
        ->Arg(1)
        ->Arg(2)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
    benchmark::RegisterBenchmark(("gradients/" + name + "/128x128").c_str(),
                                 [&network](benchmark::State& state) { gradients(state, network); })
        ->ArgNames({"batch", "workers"})
        ->Args({16, 1})
        ->Args({16, 2})
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  }
  return workload::run_registered(argument_count, arguments);
}
