// How fast the named networks run and train: forward passes, and the gradients of a batch.
#include <posemachine/core/random.hpp>
#include <posemachine/engine/batch_gradients.hpp>
#include <posemachine/engine/plan.hpp>
#include <posemachine/graph/passes/for_inference.hpp>
#include <posemachine/graph/queries.hpp>
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

constexpr int image_count = 4;  // different inputs in turn: one alone would stay in the caches

std::vector<std::vector<float>> make_images(std::size_t floats) {
  std::vector<std::vector<float>> images(image_count, std::vector<float>(floats));
  for (std::size_t i = 0; i < images.size(); ++i) {
    pm::RandomStream stream(1, pm::Purpose::test, i);
    for (float& value : images[i]) value = static_cast<float>(stream.uniform(-0.5, 0.5));
  }
  return images;
}

void count_work(benchmark::State& state, const pm::Graph& graph, pm::Size image, int images, int passes) {
  const double flops = 2.0 * static_cast<double>(pm::count_multiply_adds(graph, image)) * images * passes;
  state.counters["images/s"] = benchmark::Counter(images, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["FLOP/s"] = benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
}

void forward(benchmark::State& state, const pm::NamedNetwork& network) {
  pm::Graph graph = network.build();
  std::vector<pm::Tensor> initial = pm::initialise(graph, 1);
  pm::prepare_for_inference(graph, initial);
  const auto parameters = std::make_shared<const std::vector<pm::Tensor>>(std::move(initial));
  pm::PlanOptions options;
  options.image = network.input;
  options.threads = static_cast<int>(state.range(0));
  pm::Plan plan(graph, std::make_shared<pm::PreparedWeights>(parameters), options);
  const std::span<float> input = plan.input("image");
  const auto images = make_images(input.size());
  std::size_t next = 0;
  for (auto _ : state) {
    std::copy(images[next].begin(), images[next].end(), input.begin());
    next = (next + 1) % images.size();
    plan.run();
    benchmark::DoNotOptimize(plan.output(plan.output_count() - 1).data());
  }
  count_work(state, graph, network.input, 1, 1);
  state.counters["arena_bytes"] = static_cast<double>(plan.arena_bytes());
}

void gradients(benchmark::State& state, const pm::NamedNetwork& network) {
  const pm::Graph graph = network.build();
  const auto parameters = std::make_shared<std::vector<pm::Tensor>>(pm::initialise(graph, 1));
  const int batch = static_cast<int>(state.range(0));
  const int workers = static_cast<int>(state.range(1));
  const pm::Size image{128, 128};
  pm::BatchGradients step(graph, parameters, {.batch = batch, .slice = batch / 2, .workers = workers, .image = image});
  const auto images = make_images(static_cast<std::size_t>(batch) * 3 * 128 * 128);
  std::uint64_t count = 0;
  for (auto _ : state) {
    step.compute(
        "image", images[count % images.size()],
        [](const pm::SliceView& view) {
          for (std::size_t k = 0; k < view.outputs.size(); ++k) {
            std::copy(view.outputs[k].begin(), view.outputs[k].end(), view.output_gradients[k].begin());
          }
        },
        1, count);
    ++count;
  }
  count_work(state, graph, image, batch, 3);  // forward, gradient of src, gradient of weights
}

}  // namespace

int main(int argument_count, char** arguments) {
  for (const pm::NamedNetwork& network : pm::networks) {
    const std::string name(network.name);
    const std::string size = std::to_string(network.input.height) + "x" + std::to_string(network.input.width);
    benchmark::RegisterBenchmark(("forward/" + name + "/" + size).c_str(),
                                 [&network](benchmark::State& state) { forward(state, network); })
        ->ArgName("threads")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
    benchmark::RegisterBenchmark(("gradients/" + name + "/128x128").c_str(),
                                 [&network](benchmark::State& state) { gradients(state, network); })
        ->ArgNames({"batch", "workers"})->Args({16, 1})->Args({16, 2})->Unit(benchmark::kMillisecond)->UseRealTime();
  }
  benchmark::Initialize(&argument_count, arguments);
  if (benchmark::ReportUnrecognizedArguments(argument_count, arguments)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
