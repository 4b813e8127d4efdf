// ProgramCache: programs are compiled once for all estimators, and cost memory once.
#include "environment.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/engine/program.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/graph/passes/for_inference.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/program_cache.hpp>
#include <posemachine/model/initialise.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/networks/scaling_dilation.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace program_cache_test {

using namespace posemachine;
using namespace posemachine::schedule;
using namespace posemachine::engine;
using test_environment::resident_bytes;

namespace {

std::shared_ptr<const Graph> small_graph() {
  Graph graph;
  const Value low = relu(graph, convolution(graph, add_input(graph, "image", 3), {.out = 16, .kernel = 3}));
  const Value gated = channel_scale(graph, low, sigmoid(graph, global_average_pool(graph, low)));
  add_output(graph, "maps", convolution(graph, max_pool(graph, gated, {.window = 2}), {.out = 4, .kernel = 3}));
  return std::make_shared<const Graph>(std::move(graph));
}

std::shared_ptr<const Program> program_of(ProgramCache& cache, Size image, int threads = 1) {
  return cache.get(image, threads, ProgramOptions{}.max_bytes);
}

}  // namespace

TEST_CASE("ProgramCache: the same program for the same size and threads, for as long as somebody holds it") {
  ProgramCache cache(small_graph());
  const auto first = program_of(cache, {16, 16});
  CHECK(program_of(cache, {16, 16}) == first);
  CHECK(program_of(cache, {16, 16}, 2) != first);  // nobody holds it
  CHECK(cache.size() == 1);
  auto other = program_of(cache, {16, 24});
  CHECK(other != first);
  CHECK(cache.size() == 2);
  other.reset();
  CHECK(cache.size() == 1);
}

TEST_CASE("ProgramCache: every program is compiled with the options of the cache, but for what a request says") {
  ProgramOptions common;
  common.passes = SchedulePasses::none();
  common.image = {99, 99};  // a request has its own
  ProgramCache plain(small_graph(), common);
  ProgramCache whole(small_graph());
  const auto program = program_of(plain, {16, 16}, 2);
  CHECK(program->options().image == Size{16, 16});
  CHECK(program->options().threads == 2);
  CHECK(program->steps().size() == plain.graph().nodes.size());
  CHECK(program_of(whole, {16, 16}, 2)->steps().size() < program->steps().size());
}

TEST_CASE("ProgramCache: one who may have less memory is refused, whatever others have compiled") {
  ProgramCache cache(small_graph());
  const auto program = program_of(cache, {512, 512});
  CHECK_THROWS_AS(cache.get({512, 512}, 1, program->execution_bytes() - 1), ModelError);
  CHECK(program_of(cache, {512, 512}) == program);
}

TEST_CASE("ProgramCache: threads that ask at once compile once, and run one program side by side to the same bytes") {
  const auto graph = small_graph();
  ProgramCache cache(graph);
  const auto weights =
      std::make_shared<PreparedWeights>(std::make_shared<const std::vector<Tensor>>(initialise(*graph, 1)));
  std::vector<std::shared_ptr<const Program>> programs(6);
  std::vector<std::vector<float>> outputs(programs.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    threads.emplace_back([&, i] {
      programs[i] = program_of(cache, {24, 20});
      Execution execution(programs[i], weights);
      std::ranges::fill(execution.input("image"), 0.25F);
      for (int run = 0; run < 20; ++run) execution.run();
      outputs[i].assign(execution.output(0).begin(), execution.output(0).end());
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 1; i < programs.size(); ++i) {
    CHECK(programs[i] == programs[0]);
    CHECK(outputs[i] == outputs[0]);
  }
}

TEST_CASE("ProgramCache: eight estimators of one model and size take the memory of one program and eight arenas") {
  const Model model = Model::random<ScalingDilationSmall>(1);
  EstimatorOptions options;
  options.threads = 1;
  std::vector<Estimator> estimators;
  const Image image(200, 160);
  const Size input{448, 448};
  estimators.emplace_back(model, options);
  estimators.front().estimate_stages(image, {}, input);
  const double one = resident_bytes();
  while (estimators.size() < 8) {
    estimators.push_back(estimators.front());
    estimators.back().estimate_stages(image, {}, input);
  }
  const double seven_more = resident_bytes() - one;
  Graph graph = model.graph();
  std::vector<Tensor> no_values;
  prepare_for_inference(graph, no_values);
  const auto arena = static_cast<double>(Program(std::move(graph), {.image = input}).execution_bytes());
  MESSAGE("an execution holds " << arena / 1e6 << " MB; seven more took " << seven_more / 1e6 << " MB");
  CHECK(arena > 5e6);
  if (!test_environment::is_sanitized) CHECK(seven_more <= 7 * 1.05 * arena);
}

}  // namespace program_cache_test
