// The named networks as executions: kernels, memory, threads, sizes.
#include "engine/run_graph.hpp"

#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/processor.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/model/initialise.hpp>
#include <posemachine/networks/registry.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace networks_in_the_engine_test {

using namespace posemachine;
using namespace posemachine::schedule;
using namespace posemachine::engine;

namespace {

Graph small() { return find_network("scaling-dilation-small")->build(); }

std::shared_ptr<PreparedWeights> weights_of(const Graph& graph) {
  return std::make_shared<PreparedWeights>(std::make_shared<const std::vector<Tensor>>(initialise(graph, 3)));
}

void fill_image(std::span<float> image, std::uint64_t seed) {
  RandomStream stream(seed, Purpose::test, 9);
  for (float& value : image) value = static_cast<float>(stream.uniform(-0.5, 0.5));
}

// A step moves at least so much, or multiplies so much, that a reference loop would show.
bool is_heavy(const Execution& execution, const ProgramStep& step, std::int64_t total) {
  const Node& node = execution.graph().nodes[static_cast<std::size_t>(step.node)];
  std::size_t bytes = 0;
  for (int i = 0; i < node.inputs.count; ++i) {
    bytes += execution.schedule().value(input(execution.graph(), node, i).id).bytes();
  }
  if (node.dst >= 0) bytes += execution.schedule().value(node.dst).bytes();
  std::int64_t work = 0;
  const Node& counted = node.forward >= 0 ? execution.graph().nodes[static_cast<std::size_t>(node.forward)] : node;
  if (counted.op->multiply_adds != nullptr && counted.dst >= 0) {
    const ScheduledValue& dst = execution.schedule().value(counted.dst);
    work = counted.op->multiply_adds(execution.graph(), counted) * dst.h * dst.w;
  }
  return bytes > 1'000'000 || work * 200 > total;
}

// oneDNN 2.6 has nothing but a reference loop for it on this processor.
bool has_no_kernel(const ProgramStep& step) {
  if (step.operation == "softmax_backward") return Device::cpu().block() == 8;  // below AVX-512
  const std::string kernels = instruction_set();
  if (kernels != "SSE41" && kernels != "AVX") return false;
  return step.operation == "channel_scale" || step.operation == "prelu" || step.operation == "prelu_backward" ||
         step.operation == "softmax";
}

void check_kernels(const NamedNetwork& network, Mode mode, int batch, Size image) {
  Graph graph = network.build();
  const std::int64_t total = count_multiply_adds(graph, image);
  if (mode == Mode::training) graph = differentiate(graph);
  ProgramOptions options;
  options.batch = batch;
  options.image = image;
  options.mode = mode;
  const Execution execution(graph, weights_of(graph), options);
  for (const ProgramStep& step : execution.steps()) {
    const bool slow = is_reference(step.implementation) && !has_no_kernel(step) && is_heavy(execution, step, total);
    CHECK_MESSAGE(!slow, std::string(network.name)
                             << " batch " << batch << ": " << step.description << " runs " << step.implementation);
  }
}

}  // namespace

TEST_CASE("engine: no heavy operation of the named networks runs on a reference loop") {
  for (const NamedNetwork& network : networks) {
    check_kernels(network, Mode::inference, 1, network.input);
    check_kernels(network, Mode::training, 1, {128, 128});
    if (count_parameters(network.build()) < 2'000'000) check_kernels(network, Mode::training, 8, {128, 128});
  }
}

TEST_CASE("engine: no operation of the vocabulary runs on a reference loop on whole blocks, forward or backward") {
  // Ragged ones may: sigmoid and the gradients of some others are not 0 in the padding that has to stay 0.
  for (const int channel_count : {16, 64}) {
    Graph graph;
    const Value src = convolution(graph, add_input(graph, "image", 3), {.out = channel_count, .kernel = 3});
    std::vector<Value> made{leaky_relu(graph, src), prelu(graph, src), softmax(graph, src), batch_norm(graph, src),
                            spatial_softmax(graph, src)};
    for (const OpInfo* op : forward_ops) {
      if (op->kind() == OpKind::activation) made.push_back(add_node(graph, *op, {}, {src}));
    }
    for (const Value value : made) {
      const Value small = max_pool(graph, value, {.window = 2});
      const Value gate = sigmoid(graph, global_average_pool(graph, small));
      const Value up = resize_nearest(graph, channel_scale(graph, small, gate));
      const Value bilinear = resize_bilinear(graph, average_pool(graph, value, {.window = 2}));
      const Value learned = transposed_convolution(graph, small, {.out = channel_count});
      add_output(graph, "out", add(graph, std::array{up, bilinear, learned}));
    }
    for (const Mode mode : {Mode::inference, Mode::training}) {
      ProgramOptions options;
      options.image = {32, 32};
      options.mode = mode;
      const Graph run = mode == Mode::training ? differentiate(graph) : graph;
      for (const ProgramStep& step : Execution(run, weights_of(run), options).steps()) {
        if (has_no_kernel(step)) continue;
        CHECK_MESSAGE(!is_reference(step.implementation),
                      channel_count << " channels: " << step.operation << " runs " << step.implementation);
      }
    }
  }
}

TEST_CASE("engine: buffers that live together do not overlap in the arena") {
  Graph graph = differentiate(small());
  for (const int batch : {1, 2}) {
    ProgramOptions options;
    options.batch = batch;
    options.image = {64, 64};
    options.mode = Mode::training;
    const Execution execution(graph, weights_of(graph), options);
    const Schedule& schedule = execution.schedule();
    struct Buffer {
      int first, last;
      std::size_t begin, end;
    };
    std::vector<Buffer> buffers;
    for (std::size_t root = 0; root < schedule.values.size(); ++root) {
      const ScheduledValue& owner = schedule.values[root];
      if (owner.parent >= 0 || owner.external) continue;
      Buffer buffer{1 << 30, -1, owner.arena_offset, owner.arena_offset + owner.buffer_bytes()};
      for (std::size_t i = 0; i < schedule.values.size(); ++i) {
        if (schedule.values[i].first_step < 0 || schedule.place(static_cast<int>(i)).root != static_cast<int>(root))
          continue;
        buffer.first = std::min(buffer.first, schedule.values[i].first_step);
        buffer.last = std::max(buffer.last, schedule.values[i].last_step);
      }
      if (buffer.last >= 0) buffers.push_back(buffer);
    }
    for (const Workspace& w : schedule.workspaces)
      buffers.push_back({w.first_step, w.last_step, w.arena_offset, w.arena_offset + w.bytes});
    int overlaps = 0;
    for (std::size_t a = 0; a < buffers.size(); ++a) {
      CHECK(buffers[a].end <= schedule.arena_bytes);
      for (std::size_t b = 0; b < a; ++b) {
        const bool alive = buffers[a].first <= buffers[b].last && buffers[b].first <= buffers[a].last;
        overlaps += alive && buffers[a].begin < buffers[b].end && buffers[b].begin < buffers[a].end ? 1 : 0;
      }
    }
    CHECK(overlaps == 0);
    options.reuse_memory = false;
    CHECK(Execution(graph, weights_of(graph), options).arena_bytes() > execution.arena_bytes());
  }
}

TEST_CASE("Execution: four threads with executions of their own over shared weights give the bytes of one") {
  const Graph graph = small();
  const auto weights = weights_of(graph);
  ProgramOptions options;
  options.image = {64, 64};
  const auto answer_of = [&] {
    Execution execution(graph, weights, options);
    fill_image(execution.input("image"), 4);
    for (int i = 0; i < 3; ++i) execution.run();
    const auto output = execution.output(execution.output_count() - 1);
    return std::vector<float>(output.begin(), output.end());
  };
  const std::vector<float> one = answer_of();
  std::vector<std::vector<float>> others(4);
  std::vector<std::thread> threads;
  for (auto& other : others) threads.emplace_back([&] { other = answer_of(); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& other : others) CHECK(other == one);
}

TEST_CASE("Execution: a size that cannot be divided is refused with the node and what would fit") {
  const Graph graph = small();
  ProgramOptions options;
  options.image = {100, 128};
  std::string text;
  try {
    const Execution execution(graph, weights_of(graph), options);
  } catch (const ModelError& error) {
    text = error.what();
  }
  for (const char* part : {"concat", "100 x 128", "multiples of 8"})
    CHECK_MESSAGE(text.find(part) != std::string::npos, text);
}

TEST_CASE("Execution: an unknown input is refused with the names there are") {
  const Graph graph = small();
  ProgramOptions options;
  options.image = {64, 64};
  Execution execution(graph, weights_of(graph), options);
  CHECK_THROWS_WITH_AS(execution.input("picture"), "input: expected one of image, got picture", UsageError);
}

}  // namespace networks_in_the_engine_test
