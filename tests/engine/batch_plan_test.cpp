// BatchPlan: every image as if it were alone.
#include "engine/run_plan.hpp"
#include "reference/random_graph.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/engine/batch_plan.hpp>
#include <posemachine/engine/plan.hpp>
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

namespace batch_plan_test {

using namespace posemachine;
using engine_test::run_plan;
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
  PlanOptions options;
  options.image = image;
  options.batch = batch;
  options.threads = threads;
  BatchPlan plan(graph, weights_of(graph, filling), options);
  for (int round = 0; round < 2; ++round) {  // first on not-a-number, of which nothing may be left
    for (const auto& [name, array] : filling.inputs) {
      const std::span<float> input = plan.input(name);
      REQUIRE(input.size() == array.values.size());
      for (std::size_t i = 0; i < input.size(); ++i) {
        input[i] = round == 0 ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(array.values[i]);
      }
    }
    plan.run();
  }
  options.batch = 1;
  if (batch >= threads) options.threads = 1;
  for (int i = 0; i < batch; ++i) {
    const engine_test::PlanResult alone = run_plan(graph, image_of(filling, i), options);
    REQUIRE(alone.outputs.size() == plan.output_count());
    for (std::size_t k = 0; k < plan.output_count(); ++k) {
      CHECK(plan.output_shape(k)[0] == batch);
      const std::span<const float> all = plan.output(k);
      const std::size_t floats = alone.outputs[k].size();
      REQUIRE(all.size() == floats * static_cast<std::size_t>(batch));
      const std::span<const float> part = all.subspan(floats * static_cast<std::size_t>(i), floats);
      CHECK(std::equal(part.begin(), part.end(), alone.outputs[k].begin()));
    }
  }
}

}  // namespace

TEST_CASE("BatchPlan: random networks give for each image the bytes of a plan for it alone") {
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    CAPTURE(seed);
    const auto random = reference::random_graph(seed, {.most_channels = 20, .dropout = false, .residuals = true});
    for (const auto& [batch, threads] : std::array<std::array<int, 2>, 4>{{{1, 1}, {5, 1}, {5, 2}, {2, 3}}}) {
      check_batch(random.graph, random.image, batch, threads, seed);
    }
  }
}

TEST_CASE("BatchPlan: an input that is an output as well comes back, each image's own") {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  add_output(graph, "same", image);
  add_output(graph, "maps", convolution(graph, image, {.out = 5, .kernel = 3}));
  check_batch(graph, {6, 8}, 3, 2, 4);
  check_batch(graph, {6, 8}, 3, 1, 4);
}

TEST_CASE("BatchPlan: memory grows by inputs and outputs alone, and a bound on it holds") {
  Graph graph;
  Value value = add_input(graph, "image", 3);
  for (int i = 0; i < 4; ++i) value = relu(graph, convolution(graph, value, {.out = 32, .kernel = 3}));
  add_output(graph, "maps", convolution(graph, value, {.out = 2}));
  const reference::Filling filling = reference::fill(graph, 1, {16, 16}, 1);
  const auto weights = weights_of(graph, filling);
  PlanOptions options;
  options.image = {16, 16};
  const std::size_t one = BatchPlan(graph, weights, options).bytes();
  options.batch = 9;
  const std::size_t nine = BatchPlan(graph, weights, options).bytes();
  CHECK(nine - one == std::size_t{8} * (3 + 2) * 16 * 16 * sizeof(float));
  options.max_bytes = nine - 1;
  CHECK_THROWS_WITH_AS(BatchPlan(graph, weights, options), doctest::Contains("PlanOptions::max_bytes"), ModelError);
  options.max_bytes = nine;
  CHECK_NOTHROW(BatchPlan(graph, weights, options));
  options.batch = 2'000'000'000;  // refused before anything of that size is asked for
  CHECK_THROWS_WITH_AS(BatchPlan(graph, weights, options), doctest::Contains("2000000000 images"), ModelError);
}

TEST_CASE("BatchPlan: training, batches of none and unknown inputs are refused in words") {
  Graph graph;
  add_output(graph, "maps", convolution(graph, add_input(graph, "image", 3), {.out = 2}));
  const auto weights = weights_of(graph, reference::fill(graph, 1, {4, 4}, 1));
  PlanOptions options;
  options.image = {4, 4};
  BatchPlan plan(graph, weights, options);
  CHECK_THROWS_WITH_AS(plan.input("imag"), doctest::Contains("expected one of image"), UsageError);
  options.batch = 0;
  CHECK_THROWS_AS(BatchPlan(graph, weights, options), UsageError);
  options.batch = 2;
  options.threads = 0;
  CHECK_THROWS_AS(BatchPlan(graph, weights, options), UsageError);
  options.threads = 1;
  options.mode = Mode::training;
  CHECK_THROWS_WITH_AS(BatchPlan(graph, weights, options), doctest::Contains("Mode::inference"), UsageError);
}

TEST_CASE("Plan: inputs and outputs bound to memory of the caller's are read and written there, until unbound") {
  for (const int in : {3, 20}) {  // read plain by the first convolution; moved into blocks first
    Graph graph;
    const Value image = add_input(graph, "image", in);
    add_output(graph, "maps", relu(graph, convolution(graph, image, {.out = 5, .kernel = 3})));
    const reference::Filling filling = reference::fill(graph, 1, {6, 7}, 3);
    PlanOptions options;
    options.image = {6, 7};
    const std::vector<float> expected = run_plan(graph, filling, options).outputs[0];
    Plan plan(graph, weights_of(graph, filling), options);
    std::vector<float> source(filling.inputs.at("image").values.begin(), filling.inputs.at("image").values.end());
    std::vector<float> target(expected.size(), -1);
    plan.bind_input(image, source.data());
    plan.bind_output(0, target.data());
    plan.run();
    CHECK(target == expected);
    CHECK(std::count(plan.output(0).begin(), plan.output(0).end(), 0.0F) == std::ptrdiff_t(expected.size()));
    std::copy(source.begin(), source.end(), plan.input("image").begin());
    plan.bind_input(image, nullptr);
    plan.bind_output(0, nullptr);
    std::fill(source.begin(), source.end(), 1e9F);
    std::fill(target.begin(), target.end(), -1.0F);
    plan.run();
    CHECK(std::equal(expected.begin(), expected.end(), plan.output(0).begin()));
    CHECK(std::count(target.begin(), target.end(), -1.0F) == std::ptrdiff_t(target.size()));
  }
}

TEST_CASE("Plan: an output that is not there cannot be bound") {
  Graph graph;
  add_output(graph, "maps", convolution(graph, add_input(graph, "image", 3), {.out = 2}));
  PlanOptions options;
  options.image = {4, 4};
  Plan plan(graph, weights_of(graph, reference::fill(graph, 1, {4, 4}, 1)), options);
  CHECK_THROWS_AS(plan.bind_output(1, nullptr), std::out_of_range);
}

}  // namespace batch_plan_test
