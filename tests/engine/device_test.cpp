// Devices: one whose memory the host may not touch, and that can do nothing but run one operation after another.
#include "engine/agreement.hpp"
#include "engine/custom_ops.hpp"
#include "engine/guarded_memory.hpp"
#include "environment.hpp"
#include "reference/random_graph.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/engine/device.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/kernel_table.hpp>
#include <posemachine/engine/ops.hpp>
#include <posemachine/engine/ops/activation.hpp>
#include <posemachine/engine/ops/copy_channels.hpp>
#include <posemachine/engine/ops/map_kernel.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/engine/program.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/model/graph_json.hpp>
#include <posemachine/model/initialise.hpp>
#include <posemachine/model/op_set.hpp>
#include <posemachine/networks/registry.hpp>
#include <posemachine/schedule/capabilities.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace device_test {

using namespace posemachine;
using namespace posemachine::schedule;
using namespace posemachine::engine;
using engine_test::GuardedMemory;

namespace {

ProgramOptions on(const std::shared_ptr<GuardedMemory>& memory, const Capabilities& capabilities) {
  ProgramOptions options;
  options.device = Device::cpu().with(capabilities, memory);
  return options;
}

// Of all values together: the length of the difference over that of the second.
double difference(const std::vector<std::vector<float>>& a, const std::vector<std::vector<float>>& b) {
  REQUIRE(a.size() == b.size());
  double square = 0, length = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    REQUIRE(a[i].size() == b[i].size());
    for (std::size_t k = 0; k < a[i].size(); ++k) {
      square += std::pow(double{a[i][k]} - b[i][k], 2);
      length += std::pow(double{b[i][k]}, 2);
    }
  }
  return length > 0 ? std::sqrt(square / length) : 0;
}

}  // namespace

TEST_CASE("device: random networks and their gradients equal the oracle in memory that the host may not touch") {
  const auto memory = std::make_shared<GuardedMemory>();
  int checked = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const auto random = reference::random_graph(
        seed, {.steps = 14, .most_channels = seed % 2 == 0 ? 40 : 9, .residuals = seed % 3 == 0});
    for (const Capabilities& capabilities : {least_capabilities(), Device::cpu().capabilities()}) {
      const ProgramOptions options = on(memory, capabilities);
      const std::string what = "seed " + std::to_string(seed);
      engine_test::check_forward(random.graph, random.batch, random.image, options, what);
      engine_test::check_forward(random.graph, 1, random.image, options, what);
      checked += engine_test::check_gradients(random.graph, random.batch, random.image, options, what) ? 1 : 0;
    }
  }
  CHECK(checked >= 20);
  CHECK(memory->copies() > 1000);
  CHECK(memory->kernels() > 1000);
  CHECK(memory->block_count() == 0);  // all given back
}

TEST_CASE("device: operations of a user's own see maps, parameters and gradients on the host") {
  const auto memory = std::make_shared<GuardedMemory>();
  const OpSet ops{&custom_ops::prelu_op};
  int checked = 0;
  for (std::uint64_t seed = 201; seed <= 215; ++seed) {
    reference::RandomGraphOptions size{.steps = 16};
    const auto random = reference::random_graph(seed, size);
    size.prelu = custom_ops::slopes<custom_ops::prelu_op>;
    const Graph own = graph_from_json(graph_to_json(reference::random_graph(seed, size).graph), "m", ops);
    const bool has_own = std::any_of(own.nodes.begin(), own.nodes.end(),
                                     [](const Node& node) { return node.op == &custom_ops::prelu_op; });
    if (!has_own) continue;
    const std::string what = "own seed " + std::to_string(seed);
    const ProgramOptions options = on(memory, Device::cpu().capabilities());
    checked += engine_test::check_gradients(random.graph, random.batch, random.image, options, what, 12, &own) ? 1 : 0;
  }
  CHECK(checked >= 3);
}

TEST_CASE("device: every named network gives what the processor gives, forward and backward") {
  const auto memory = std::make_shared<GuardedMemory>();
  for (const NamedNetwork& network : networks) {
    if (test_environment::is_sanitized && network.name != "scaling-dilation-fine") continue;
    const Graph forward = network.build();
    const bool merges = network.name.starts_with("scaling-dilation") && largest_stride(forward) == 8;
    const bool large = count_parameters(forward) > 2'000'000;  // CPM
    const Size image = large ? Size{32, 40} : merges ? Size{48, 64} : Size{96, 128};
    for (const bool training : {false, true}) {
      CAPTURE(network.name);
      CAPTURE(training);
      const Graph graph = training ? differentiate(forward) : forward;
      const auto filling = reference::fill(graph, 2, image, 7);
      ProgramOptions options = on(memory, least_capabilities());
      options.batch = 2;
      options.image = image;
      options.mode = training ? Mode::training : Mode::inference;
      const auto got = engine_test::run_graph(graph, filling, options, {5, 3, 0});
      options.device = Device::cpu().with(least_capabilities());
      const auto same = engine_test::run_graph(graph, filling, options, {5, 3, 0});
      CHECK(got.outputs == same.outputs);  // the same kernels, byte for byte
      CHECK(got.gradients == same.gradients);
      options.device = Device::cpu();
      const auto whole = engine_test::run_graph(graph, filling, options, {5, 3, 0});
      // In training rounding takes some of the thousands of kinks to their other side, and batch norms of a few cells
      // enlarge it.
      CHECK(difference(got.outputs, whole.outputs) < (training ? 1e-3 : 1e-4));
      CHECK(difference(got.gradients, whole.gradients) < 0.1);
    }
  }
}

TEST_CASE("device: another kernel for an operation runs in the place of the library's, and rows are refused by name") {
  KernelTable kernels = library_kernels();
  static int made = 0;
  made = 0;
  kernels.replace({&relu_op, [](const BuildContext& context) {
                     ++made;
                     return engine::detail::map_kernel<1>(
                         context, "test:relu", [](const auto& srcs, const MapView<float>& dst, auto&) {
                           for (int image = 0; image < dst.n; ++image) {
                             for (int c = 0; c < dst.c; ++c) {
                               const float* from = srcs[0].channel(image, c);
                               float* to = dst.channel(image, c);
                               for (std::size_t cell = 0; cell < dst.cells(); ++cell) {
                                 to[cell * dst.cell_step()] = std::max(0.0F, from[cell * srcs[0].cell_step()]);
                               }
                             }
                           }
                           engine::detail::zero_padding(dst);
                         });
                   }});
  Graph graph;
  const Value pooled = max_pool(graph, add_input(graph, "image", 17), {.window = 2});
  add_output(graph, "out", relu(graph, pooled));
  ProgramOptions options;
  options.device = Device::cpu().with(std::make_shared<const KernelTable>(kernels));
  engine_test::check_forward(graph, 2, {8, 6}, options, "another relu");
  CHECK(made == 1);
  CHECK_THROWS_WITH_AS(kernels.add(EngineOp{&relu_op, activation_engine[0].make}),
                       "kernel table: expected one row per operation, got another for relu; use replace()", UsageError);
  CHECK_THROWS_WITH_AS(kernels.replace({&custom_ops::prelu_op, activation_engine[0].make}),
                       "kernel table: expected an operation of the table, and a function, got test.prelu", UsageError);
  CHECK_THROWS_AS(kernels.add(EngineOp{}), UsageError);
}

TEST_CASE("device: an error of oneDNN's leaves as one of the library's that names the node, wherever it comes from") {
  Graph graph;
  const Value pooled = max_pool(graph, add_input(graph, "image", 17), {.window = 2});
  add_output(graph, "out", relu(graph, pooled));
  ProgramOptions options;
  options.image = {8, 6};
  const auto with_relu = [&](auto make) {
    KernelTable kernels = library_kernels();
    kernels.replace({&relu_op, make});
    options.device = Device::cpu().with(std::make_shared<const KernelTable>(kernels));
    const auto weights = std::make_shared<PreparedWeights>(std::make_shared<const std::vector<Tensor>>());
    Execution(graph, weights, options).run();
  };
  using Contains = doctest::Contains;

  CHECK_THROWS_WITH_AS(with_relu([](const BuildContext&) -> std::unique_ptr<Kernel> {
                         throw dnnl::error(dnnl_unimplemented, "could not create a primitive descriptor");
                       }),
                       Contains("relu"), RuntimeFailure);
  CHECK_THROWS_WITH_AS(with_relu([](const BuildContext&) -> std::unique_ptr<Kernel> {
                         throw dnnl::error(dnnl_unimplemented, "could not create a primitive descriptor");
                       }),
                       Contains("got unimplemented, \"could not create a primitive descriptor\""), RuntimeFailure);
  CHECK_THROWS_AS(with_relu([](const BuildContext&) -> std::unique_ptr<Kernel> {
                    throw dnnl::error(dnnl_out_of_memory, "could not create a memory object");
                  }),
                  std::bad_alloc);
  CHECK_THROWS_WITH_AS(with_relu([](const BuildContext& context) {
                         return engine::detail::map_kernel<1>(
                             context, "test:relu", [](const auto&, const auto&, auto&) {
                               throw dnnl::error(dnnl_runtime_error, "could not execute a primitive");
                             });
                       }),
                       Contains("got runtime_error, \"could not execute a primitive\""), RuntimeFailure);
  CHECK_THROWS_WITH_AS(with_relu([](const BuildContext&) -> std::unique_ptr<Kernel> { throw UsageError("its own"); }),
                       "its own", UsageError);
}

TEST_CASE("device: weights in another memory than the program's are refused") {
  Graph graph;
  add_output(graph, "out", convolution(graph, add_input(graph, "image", 3), {.out = 4}));
  const auto memory = std::make_shared<GuardedMemory>();
  ProgramOptions options = on(memory, least_capabilities());
  options.image = {8, 8};
  const auto weights =
      std::make_shared<PreparedWeights>(std::make_shared<const std::vector<Tensor>>(initialise(graph, 1)));
  CHECK_THROWS_WITH_AS(Execution(graph, weights, options), doctest::Contains("give PreparedWeights the same Device"),
                       UsageError);
}

}  // namespace device_test
