// choose_winograd: which convolutions, and that they compute what direct ones do.
#include "engine/agreement.hpp"
#include "schedule/memory_model.hpp"

#include <posemachine/engine/device.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/schedule/make_schedule.hpp>
#include <posemachine/schedule/passes/choose_winograd.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace choose_winograd_test {

using namespace posemachine;
using namespace posemachine::schedule;
using namespace posemachine::engine;
using schedule_test::step_of;

namespace {

Graph of(int in, const ConvolutionOptions& options) {
  Graph graph;
  const Value src = relu(graph, convolution(graph, add_input(graph, "image", 3), {.out = in}));
  add_output(graph, "out", convolution(graph, src, options));
  return graph;
}

bool chosen(int in, const ConvolutionOptions& options, Size image, int threads, Mode mode = Mode::inference) {
  const Graph graph = of(in, options);
  Schedule schedule = make_schedule(graph, 1, image, mode);
  choose_winograd(schedule, {.threads = threads});
  return schedule.steps.back().algorithm == Algorithm::winograd;
}

}  // namespace

TEST_CASE("choose_winograd: dense 3x3 convolutions of 32 channels and more, with work for every thread") {
  const ConvolutionOptions dense{.out = 32, .kernel = 3};
  CHECK(chosen(32, dense, {16, 16}, 2));
  CHECK(chosen(32, dense, {8, 8}, 1));
  CHECK_FALSE(chosen(32, dense, {8, 8}, 2));
  CHECK_FALSE(chosen(32, dense, {16, 16}, 2, Mode::training));
  CHECK_FALSE(chosen(31, dense, {16, 16}, 2));
  CHECK_FALSE(chosen(32, dense, {15, 16}, 2));
  CHECK_FALSE(chosen(32, {.out = 31, .kernel = 3}, {16, 16}, 2));
  CHECK_FALSE(chosen(32, {.out = 32, .kernel = 5}, {16, 16}, 2));
  CHECK_FALSE(chosen(32, {.out = 32, .kernel = 3, .stride = 2}, {32, 32}, 2));
  CHECK_FALSE(chosen(32, {.out = 32, .kernel = 3, .dilation = 2}, {16, 16}, 2));
  CHECK_FALSE(chosen(32, {.out = 32, .kernel = 3, .groups = 2}, {16, 16}, 2));
}

TEST_CASE("choose_winograd: what was measured overrules") {
  const Graph graph = of(32, {.out = 32, .kernel = 3});
  Schedule schedule = make_schedule(graph, 1, {16, 16}, Mode::inference);
  CostModel costs;
  costs.set(convolution_case(schedule, schedule.steps.back()), 2, {10, 11, 12});
  choose_winograd(schedule, {&costs, 2});
  CHECK_FALSE(schedule.steps.back().algorithm == Algorithm::winograd);
  choose_winograd(schedule, {&costs, 1});  // measured for two threads
  CHECK(schedule.steps.back().algorithm == Algorithm::winograd);
}

TEST_CASE("choose_winograd: the results equal the oracle, at odd sizes, batches, ragged channels, behind sums") {
  int used = 0;
  struct Shape {
    int in, out;
    Size image;
  };
  std::vector<Shape> shapes{{96, 64, {16, 16}}};  // wide enough for tiles of 4 x 4
  for (const int in : {32, 33, 48}) {
    for (const int out : {32, 47, 64}) {
      for (const Size image : {Size{7, 5}, Size{15, 17}}) shapes.push_back({in, out, image});
    }
  }
  for (const auto& [in, out, image] : shapes) {
    Graph graph = of(in, {.out = out, .kernel = 3, .padding = image.height % 2});
    const Value dst{graph.outputs[0].value};
    const Value bent = relu(graph, dst);
    const Value again = convolution(graph, sigmoid(graph, bent), {.out = out, .kernel = 3});
    add_output(graph, "sum", relu(graph, add(graph, std::array{again, bent})));
    for (const int threads : {1, 2}) {
      for (const int batch : {1, 3}) {
        ProgramOptions options;
        options.threads = threads;
        const std::string what =
            "winograd " + std::to_string(in) + " to " + std::to_string(out) + " at " + to_string(image);
        engine_test::check_forward(graph, batch, image, options, what);
      }
    }
    const auto filling = reference::fill(graph, 1, image, 3);
    ProgramOptions options;
    options.image = image;
    for (const ProgramStep& step : engine_test::run_graph(graph, filling, options).steps) {
      used += step.implementation.find("wino") != std::string::npos ? 1 : 0;
    }
  }
#if DNNL_VERSION_MAJOR < 3
  if (Device::cpu().block() == 16) CHECK(used >= 8);  // AVX-512
#endif
}

}  // namespace choose_winograd_test
