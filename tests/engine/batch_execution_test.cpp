// BatchExecution: every image as if it were alone.
#include "engine/run_graph.hpp"
#include "reference/random_graph.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/engine/batch_execution.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace batch_execution_test {

using namespace posemachine;
using namespace posemachine::schedule;
using namespace posemachine::engine;
using engine_test::run_graph;
using engine_test::weights_of;

namespace {

// One image of a filling with several.
reference::Filling image_of(const reference::Filling& filling, int image) {
  reference::Filling single = filling;
  for (auto& [name, array] : single.inputs) {
    const std::size_t floats = array.values.size() / static_cast<std::size_t>(array.n);
    const auto begin = array.values.begin() + static_cast<std::ptrdiff_t>(floats * static_cast<std::size_t>(image));
    array.values = std::vector<double>(begin, begin + static_cast<std::ptrdiff_t>(floats));
    array.n = 1;
  }
  return single;
}

void check_batch(const Graph& graph, Size image, int batch, int threads, std::uint64_t seed) {
  const reference::Filling filling = reference::fill(graph, batch, image, seed);
  ProgramOptions options;
  options.image = image;
  options.batch = batch;
  options.threads = threads;
  BatchExecution execution(graph, weights_of(graph, filling), options);
  for (int round = 0; round < 2; ++round) {  // first on not-a-number, of which nothing may be left
    for (const auto& [name, array] : filling.inputs) {
      const std::span<float> input = execution.input(name);
      REQUIRE(input.size() == array.values.size());
      for (std::size_t i = 0; i < input.size(); ++i) {
        input[i] = round == 0 ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(array.values[i]);
      }
    }
    execution.run();
  }
  options.batch = 1;
  if (batch >= threads) options.threads = 1;
  for (int i = 0; i < batch; ++i) {
    const engine_test::RunResult alone = run_graph(graph, image_of(filling, i), options);
    REQUIRE(alone.outputs.size() == execution.output_count());
    for (std::size_t k = 0; k < execution.output_count(); ++k) {
      CHECK(execution.output_shape(k)[0] == batch);
      const std::span<const float> all = execution.output(k);
      const std::size_t floats = alone.outputs[k].size();
      REQUIRE(all.size() == floats * static_cast<std::size_t>(batch));
      const std::span<const float> part = all.subspan(floats * static_cast<std::size_t>(i), floats);
      CHECK(std::equal(part.begin(), part.end(), alone.outputs[k].begin()));
    }
  }
}

}  // namespace

TEST_CASE("BatchExecution: random networks give for each image the bytes of an execution for it alone") {
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    CAPTURE(seed);
    const auto random = reference::random_graph(seed, {.most_channels = 20, .dropout = false, .residuals = true});
    for (const auto& [batch, threads] : std::array<std::array<int, 2>, 4>{{{1, 1}, {5, 1}, {5, 2}, {2, 3}}}) {
      check_batch(random.graph, random.image, batch, threads, seed);
    }
  }
}

TEST_CASE("BatchExecution: an input that is an output as well comes back, each image's own") {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  add_output(graph, "same", image);
  add_output(graph, "maps", convolution(graph, image, {.out = 5, .kernel = 3}));
  check_batch(graph, {6, 8}, 3, 2, 4);
  check_batch(graph, {6, 8}, 3, 1, 4);
}

TEST_CASE("BatchExecution: memory grows by inputs and outputs alone, and a bound on it holds") {
  Graph graph;
  Value value = add_input(graph, "image", 3);
  for (int i = 0; i < 4; ++i) value = relu(graph, convolution(graph, value, {.out = 32, .kernel = 3}));
  add_output(graph, "maps", convolution(graph, value, {.out = 2}));
  const reference::Filling filling = reference::fill(graph, 1, {16, 16}, 1);
  const auto weights = weights_of(graph, filling);
  ProgramOptions options;
  options.image = {16, 16};
  const std::size_t one = BatchExecution(graph, weights, options).bytes();
  options.batch = 9;
  const std::size_t nine = BatchExecution(graph, weights, options).bytes();
  CHECK(nine - one == std::size_t{8} * (3 + 2) * 16 * 16 * sizeof(float));
  options.max_bytes = nine - 1;
  CHECK_THROWS_WITH_AS(BatchExecution(graph, weights, options), doctest::Contains("ProgramOptions::max_bytes"),
                       ModelError);
  options.max_bytes = nine;
  CHECK_NOTHROW(BatchExecution(graph, weights, options));
  options.batch = 2'000'000'000;  // refused before anything of that size is asked for
  CHECK_THROWS_WITH_AS(BatchExecution(graph, weights, options), doctest::Contains("2000000000 images"), ModelError);
}

TEST_CASE("BatchExecution: training, batches of none and unknown inputs are refused in words") {
  Graph graph;
  add_output(graph, "maps", convolution(graph, add_input(graph, "image", 3), {.out = 2}));
  const auto weights = weights_of(graph, reference::fill(graph, 1, {4, 4}, 1));
  ProgramOptions options;
  options.image = {4, 4};
  BatchExecution execution(graph, weights, options);
  CHECK_THROWS_WITH_AS(execution.input("imag"), doctest::Contains("expected one of image"), UsageError);
  options.batch = 0;
  CHECK_THROWS_AS(BatchExecution(graph, weights, options), UsageError);
  options.batch = 2;
  options.threads = 0;
  CHECK_THROWS_AS(BatchExecution(graph, weights, options), UsageError);
  options.threads = 1;
  options.mode = Mode::training;
  CHECK_THROWS_WITH_AS(BatchExecution(graph, weights, options), doctest::Contains("Mode::inference"), UsageError);
}

TEST_CASE("Execution: inputs and outputs bound to memory of the caller's are read and written there, until unbound") {
  for (const int in : {3, 20}) {  // read plain by the first convolution; moved into blocks first
    Graph graph;
    const Value image = add_input(graph, "image", in);
    add_output(graph, "maps", relu(graph, convolution(graph, image, {.out = 5, .kernel = 3})));
    const reference::Filling filling = reference::fill(graph, 1, {6, 7}, 3);
    ProgramOptions options;
    options.image = {6, 7};
    const std::vector<float> expected = run_graph(graph, filling, options).outputs[0];
    Execution execution(graph, weights_of(graph, filling), options);
    std::vector<float> source(filling.inputs.at("image").values.begin(), filling.inputs.at("image").values.end());
    std::vector<float> target(expected.size(), -1);
    execution.bind_input(image, source.data());
    execution.bind_output(0, target.data());
    execution.run();
    CHECK(target == expected);
    CHECK(std::count(execution.output(0).begin(), execution.output(0).end(), 0.0F) == std::ptrdiff_t(expected.size()));
    std::copy(source.begin(), source.end(), execution.input("image").begin());
    execution.bind_input(image, nullptr);
    execution.bind_output(0, nullptr);
    std::fill(source.begin(), source.end(), 1e9F);
    std::fill(target.begin(), target.end(), -1.0F);
    execution.run();
    CHECK(std::equal(expected.begin(), expected.end(), execution.output(0).begin()));
    CHECK(std::count(target.begin(), target.end(), -1.0F) == std::ptrdiff_t(target.size()));
  }
}

TEST_CASE("Execution: an output that is not there cannot be bound") {
  Graph graph;
  add_output(graph, "maps", convolution(graph, add_input(graph, "image", 3), {.out = 2}));
  ProgramOptions options;
  options.image = {4, 4};
  Execution execution(graph, weights_of(graph, reference::fill(graph, 1, {4, 4}, 1)), options);
  CHECK_THROWS_AS(execution.bind_output(1, nullptr), std::out_of_range);
}

}  // namespace batch_execution_test
