// Execution on small graphs: inputs and outputs, halves of a training step, threads, what it refuses.
#include "engine/run_graph.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/engine/program.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace execution_test {

using namespace posemachine;
using namespace posemachine::schedule;
using namespace posemachine::engine;
using engine_test::relative_error;
using engine_test::weights_of;

namespace {

void feed(Execution& execution, const reference::Filling& filling) {
  for (const auto& [name, array] : filling.inputs) {
    const std::span<float> input = execution.input(name);
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<float>(array.values[i]);
  }
}

std::vector<float> copy(std::span<const float> values) { return {values.begin(), values.end()}; }

ProgramOptions options_of(int batch, Size image, Mode mode = Mode::inference) {
  ProgramOptions options;
  options.batch = batch;
  options.image = image;
  options.mode = mode;
  return options;
}

// Something of every kind, wide enough for two threads to share the work.
Graph mixed(bool with_draws = true) {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  Value value = relu(graph, batch_norm(graph, convolution(graph, image, {.out = 48, .kernel = 3})));
  const Value pooled = max_pool(graph, value, {.window = 2});
  const Value learned = relu(graph, convolution(graph, value, {.out = 33, .kernel = 3, .stride = 2}));
  value = concat(graph, {pooled, learned});
  if (with_draws) value = dropout(graph, value, {.percent = 25});
  const Value gate = sigmoid(graph, convolution(graph, global_average_pool(graph, value), {.out = 81}));
  value = channel_scale(graph, value, gate);
  const Value wide = convolution(graph, value, {.out = 15, .kernel = 3, .dilation = 2});
  add_output(graph, "maps", wide);
  value = add(graph, std::array{wide, convolution(graph, value, {.out = 15})});
  add_output(graph, "maps", average_pool(graph, value, {.window = 3, .stride = 2, .padding = 1}));
  return graph;
}

std::string message_of(const Graph& graph, const ProgramOptions& options) {
  try {
    const Execution execution(graph, weights_of(graph, reference::fill(graph, 1, {16, 16}, 1)), options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("Execution: an input that is an output itself, and one value under two names, come out as they went in") {
  for (const int channel_count : {3, 17}) {
    Graph graph;
    const Value image = add_input(graph, "image", channel_count);
    add_output(graph, "same", image);
    add_output(graph, "again", image);
    const auto filling = reference::fill(graph, 2, {3, 5}, 4);
    Execution execution(graph, weights_of(graph, filling), options_of(2, {3, 5}));
    feed(execution, filling);
    execution.run();
    const std::vector<float> given = copy(execution.input("image"));
    CHECK(copy(execution.output(0)) == given);
    CHECK(copy(execution.output(1)) == given);
    CHECK(execution.output_shape(1) == Shape{2, channel_count, 3, 5});
  }
}

TEST_CASE("Execution: an output read by operations that work in place is what it was before them") {
  Graph graph;
  const Value pooled = average_pool(graph, add_input(graph, "image", 5), {.window = 2});
  add_output(graph, "before", pooled);
  add_output(graph, "after", relu(graph, pooled));
  const auto filling = reference::fill(graph, 1, {6, 4}, 4);
  const auto truth = reference::run(graph, 1, {6, 4}, filling.inputs, filling.parameters);
  Execution execution(graph, weights_of(graph, filling), options_of(1, {6, 4}));
  feed(execution, filling);
  execution.run();
  CHECK(relative_error(copy(execution.output(0)), truth[pooled].values) < 1e-6);
}

TEST_CASE("Execution: running again with other numbers leaves nothing of the first ones") {
  const Graph graph = differentiate(mixed());
  const ProgramOptions options = options_of(2, {16, 16}, Mode::training);
  const auto first = reference::fill(graph, 2, {16, 16}, 4);
  auto second = reference::fill(graph, 2, {16, 16}, 5);
  second.parameters = first.parameters;
  const auto weights = weights_of(graph, first);
  Execution used(graph, weights, options);
  feed(used, first);
  used.run({1, 1, 0});
  feed(used, second);
  used.run({1, 2, 0});
  Execution fresh(graph, weights, options);
  feed(fresh, second);
  fresh.run({1, 2, 0});
  CHECK(copy(used.output(1)) == copy(fresh.output(1)));
  CHECK(copy(used.gradients()) == copy(fresh.gradients()));
}

TEST_CASE("Execution: the two halves of a training step are the whole, with gradients written in between") {
  const Graph graph = differentiate(mixed());
  const ProgramOptions options = options_of(2, {16, 16}, Mode::training);
  const auto filling = reference::fill(graph, 2, {16, 16}, 4);
  const auto weights = weights_of(graph, filling);
  Execution whole(graph, weights, options);
  feed(whole, filling);
  whole.run({1, 2, 3});
  Execution halves(graph, weights, options);
  feed(halves, filling);
  std::vector<std::vector<float>> kept;
  for (const Port& port : graph.inputs) {
    const std::span<float> input = halves.input(Value{port.value});
    kept.push_back(copy(input));
    if (graph.values[static_cast<std::size_t>(port.value)].like >= 0) std::fill(input.begin(), input.end(), 1e9f);
  }
  halves.run_forward({1, 2, 3});
  CHECK(copy(halves.output(1)) == copy(whole.output(1)));
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    std::copy(kept[i].begin(), kept[i].end(), halves.input(Value{graph.inputs[i].value}).begin());
  }
  halves.run_backward({1, 2, 3});
  CHECK(copy(halves.gradients()) == copy(whole.gradients()));
}

TEST_CASE("Execution: gradients go to the slice that is bound") {
  const Graph graph = differentiate(mixed());
  const auto filling = reference::fill(graph, 1, {16, 16}, 4);
  Execution execution(graph, weights_of(graph, filling), options_of(1, {16, 16}, Mode::training));
  feed(execution, filling);
  execution.run();
  const std::vector<float> own = copy(execution.gradients());
  std::vector<float> room(execution.gradient_layout().floats + 16, 0.0f);
  void* at = room.data();
  std::size_t space = room.size() * sizeof(float);
  auto* slice = static_cast<float*>(std::align(64, own.size() * sizeof(float), at, space));
  execution.bind_gradients(slice);
  execution.run();
  CHECK(std::vector<float>(slice, slice + own.size()) == own);
  CHECK(execution.gradient_layout().floats == own.size());
}

TEST_CASE("Execution: two threads compute what one does, forward and backward, up to rounding") {
  const Graph graph = differentiate(mixed());
  const auto filling = reference::fill(graph, 2, {32, 32}, 4);
  const auto weights = weights_of(graph, filling);
  ProgramOptions options = options_of(2, {32, 32}, Mode::training);
  Execution one(graph, weights, options);
  feed(one, filling);
  one.run({1, 2, 3});
  options.threads = 2;
  Execution two(graph, weights, options);
  feed(two, filling);
  two.run({1, 2, 3});
  const auto as_double = [](std::span<const float> values) {
    return std::vector<double>(values.begin(), values.end());
  };
  for (std::size_t i = 0; i < one.output_count(); ++i) {
    CHECK(relative_error(copy(two.output(i)), as_double(one.output(i))) < 1e-5);
  }
  const auto result_one = engine_test::plain_gradients(one);
  const auto result_two = engine_test::plain_gradients(two);
  REQUIRE(result_one.size() == result_two.size());
  // A bias before batch norm has the gradient 0 but for rounding: errors are measured against the network's largest
  // one.
  float largest = 0;
  for (const auto& gradient : result_one) {
    for (const float value : gradient) largest = std::max(largest, std::abs(value));
  }
  for (std::size_t id = 0; id < result_one.size(); ++id) {
    CHECK(relative_error(result_two[id], as_double(result_one[id]), 1e-2 * double{largest}) < 1e-4);
  }
}

TEST_CASE("Execution: dropout draws for the batch's samples, the same wherever a sample stands") {
  Graph graph;
  add_output(graph, "out", dropout(graph, add_input(graph, "image", 17), {.percent = 50}));
  ProgramOptions options = options_of(3, {4, 5}, Mode::training);
  Execution three(graph, weights_of(graph, {}), options);
  options.batch = 1;
  Execution one(graph, weights_of(graph, {}), options);
  const std::span<float> images = three.input("image");
  std::fill(images.begin(), images.end(), 1.0f);
  std::fill(one.input("image").begin(), one.input("image").end(), 1.0f);
  three.run({7, 8, 20});
  const std::vector<float> together = copy(three.output(0));
  const std::size_t size = one.output(0).size();
  std::vector<std::vector<float>> masks;
  for (std::uint64_t sample = 0; sample < 3; ++sample) {
    one.run({7, 8, 20 + sample});
    masks.push_back(copy(one.output(0)));
    const auto begin = together.begin() + static_cast<std::ptrdiff_t>(sample * size);
    CHECK(std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(size)) == masks.back());
    CHECK(std::count(masks.back().begin(), masks.back().end(), 0.0f) +
              std::count(masks.back().begin(), masks.back().end(), 2.0f) ==
          static_cast<std::ptrdiff_t>(size));
  }
  CHECK(masks[0] != masks[1]);
  one.run({7, 9, 20});
  CHECK(copy(one.output(0)) != masks[0]);
}

TEST_CASE("Execution: an operation that the engine lacks is refused with its name, version and node") {
  static constexpr OpInfo foreign{.name = "wavelet", .version = 3, .infer = [](Graph& graph, const Node& node) {
                                    return channels(graph, input(graph, node, 0));
                                  }};
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  add_output(graph, "out", add_node(graph, foreign, {}, {image}));
  CHECK(message_of(graph, options_of(1, {16, 16})) ==
        "node 1 (wavelet): expected an operation that the engine can run, got wavelet version 3");
}

TEST_CASE("Execution: a type that no kernel serves is refused by node and name, before anything is made") {
  const auto refusal = [](const Graph& graph) {
    try {
      Program program(graph, {.image = {8, 8}});
    } catch (const ModelError& error) {
      return std::string(error.what());
    }
    return std::string("compiled");
  };
  for (const DataType type : {DataType::u8, DataType::s8, DataType::s32, DataType::bf16}) {
    Graph graph;
    add_output(graph, "maps", relu(graph, add_input(graph, "image", 3, type)));
    CHECK(refusal(graph) ==
          "node 0 (input): expected maps and parameters of type f32, which kernels of input serve, "
          "got a map of type " +
              std::string(name_of(type)));
  }
  // A parameter of bytes for a convolution of floats.
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  const int weights = add_parameter(graph, "weights", {4, 3, 1, 1}, 4, Init::zeros, 3, true, DataType::s8);
  const Options options = pack(ConvolutionOptions{.out = 4, .kernel = 1, .padding = 0, .bias = 0});
  add_output(graph, "maps", add_node(graph, convolution_op, options, {image}, {weights}));
  CHECK(refusal(graph) ==
        "node 1 (convolution): expected maps and parameters of type f32, which kernels of "
        "convolution serve, got weights of type s8");
  // A device whose kernel serves it compiles the same graph.
  auto kernels = std::make_shared<KernelTable>(library_kernels());
  kernels->replace({&relu_op, kernels->find(relu_op)->make, {DataType::f32, DataType::u8}});
  kernels->replace({&input_op, kernels->find(input_op)->make, {DataType::f32, DataType::u8}});
  Graph bytes;
  add_output(bytes, "maps", relu(bytes, add_input(bytes, "image", 3, DataType::u8)));
  const Program program(bytes, {.image = {8, 8}, .device = Device::cpu().with(kernels)});
  const ScheduledValue& map = program.schedule().value(bytes.outputs[0].value);
  CHECK(map.bytes() == static_cast<std::size_t>(map.padded_channels()) * 64);
}

TEST_CASE("Execution: sizes that do not fit are refused with node, sizes and what would fit") {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  const Value half = max_pool(graph, image, {.window = 2});
  const Value learned = convolution(graph, image, {.out = 4, .kernel = 3, .stride = 2});
  add_output(graph, "out", concat(graph, {half, learned}));
  CHECK(message_of(graph, options_of(1, {16, 16})).empty());
  CHECK(message_of(graph, options_of(1, {16, 15})) ==
        "node 3 (concat): expected branches of equal size, have 8 x 7 and 8 x 8, got an input of 16 x 15 (height x "
        "width); "
        "use a height and a width that are multiples of 2");
  CHECK(message_of(graph, options_of(1, {1, 16})).starts_with("node 1 (max_pool): expected a map at least as large"));
  CHECK(message_of(graph, options_of(1, {0, 16})).starts_with("node 0 (input): expected sides of 1 to 65536 pixels"));
}

TEST_CASE(
    "Execution: a batch norm that two layers share is refused in training by its node, and runs in inference or "
    "frozen") {
  const auto build = [](bool frozen) {
    Graph graph;
    graph.frozen = frozen;
    Value value = add_input(graph, "image", 4);
    const auto block = [](Graph& inside, Value src) { return batch_norm(inside, src); };
    value = lower_shared(graph, "norm", block, lower_shared(graph, "norm", block, value));
    graph.frozen = false;
    add_output(graph, "out", convolution(graph, value, {.out = 2}));
    return graph;
  };
  const Graph graph = build(false);
  CHECK(message_of(graph, options_of(1, {16, 16})).empty());
  CHECK(message_of(differentiate(graph), options_of(1, {16, 16}, Mode::training)) ==
        "node 2 (batch_norm in BatchNorm): expected running statistics of its own, in training, got those of another "
        "node; "
        "share layers without batch norm, or freeze it");
  CHECK(message_of(differentiate(build(true)), options_of(1, {16, 16}, Mode::training)).empty());
}

TEST_CASE("Execution: a batch or a team of none, and a value that is no input, are refused") {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  const Value bent = relu(graph, image);
  add_output(graph, "out", bent);
  ProgramOptions options = options_of(0, {16, 16});
  CHECK(message_of(graph, options) == "program: batch: expected at least 1, got 0");
  options = options_of(1, {16, 16});
  options.threads = 0;
  CHECK(message_of(graph, options) == "program: threads: expected at least 1, got 0");
  Execution execution(graph, weights_of(graph, {}), options_of(1, {16, 16}));
  CHECK_THROWS_WITH_AS(execution.input(bent), "this value is not an input of the program", UsageError);
  CHECK_THROWS_AS(execution.output(1), std::out_of_range);
}

TEST_CASE("Execution: steps name their nodes and kernels, and those that a pass made needless are not among them") {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  const Value left = relu(graph, convolution(graph, image, {.out = 16}));
  const Value right = relu(graph, convolution(graph, image, {.out = 16}));
  add_output(graph, "out", concat(graph, {left, right}));
  const auto filling = reference::fill(graph, 1, {4, 4}, 1);
  ProgramOptions options = options_of(1, {4, 4});
  CHECK(Execution(graph, weights_of(graph, filling), options).steps().size() == 3);
  options.passes = SchedulePasses().without("share_slices");
  const std::vector<ProgramStep> steps = Execution(graph, weights_of(graph, filling), options).steps();
  REQUIRE(steps.size() == 4);
  CHECK(steps[1].description == "node 1 (convolution in Conv_1)");
  CHECK(steps[1].implementation.find("jit") != std::string::npos);
  CHECK(steps[3].implementation == "posemachine:copy_channels");
}

TEST_CASE("Execution: a slice counts the bytes of the part that it copies, not of the whole") {
  Graph graph;
  const Value whole = relu(graph, add_input(graph, "image", 64));
  const Value part = add_node(graph, slice_op, pack(SliceOptions{.first = 32, .count = 16}), {whole});
  add_output(graph, "part", convolution(graph, part, {.out = 16}));
  ProgramOptions options = options_of(1, {4, 4});
  options.passes = SchedulePasses().without("share_slices");
  for (const ProgramStep& step :
       Execution(graph, weights_of(graph, reference::fill(graph, 1, {4, 4}, 1)), options).steps()) {
    if (step.operation == "slice") CHECK(step.bytes == 2 * 16 * 4 * 4 * 4);
  }
}

TEST_CASE("Execution: more memory than allowed is refused before it is taken, by the map or as a whole") {
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  const Value hidden = relu(graph, convolution(graph, image, {.out = 64, .kernel = 3}));
  add_output(graph, "out", convolution(graph, hidden, {.out = 1}));
  // 3 channels of 65536 x 65536 floats are 48 GiB.
  CHECK(message_of(graph, options_of(1, {65536, 65536})) ==
        "node 0 (input): expected at most 16384 MiB (ProgramOptions::max_bytes), got 49152 MiB at batch 1, 65536 x "
        "65536; "
        "use a "
        "smaller batch or image, or allow more");
  CHECK(message_of(graph, options_of(2'000'000'000, {65536, 65536})).find("ProgramOptions::max_bytes") !=
        std::string::npos);

  ProgramOptions options = options_of(1, {64, 64});
  const std::size_t needed = Program(graph, options).execution_bytes();
  CHECK(needed > std::size_t{1} << 20);  // the hidden map alone is 1 MiB
  options.max_bytes = needed;
  CHECK(message_of(graph, options).empty());
  options.max_bytes = needed - 1;
  CHECK(message_of(graph, options).starts_with("program: expected at most"));
  options.max_bytes = std::uint64_t{1} << 19;
  CHECK(message_of(graph, options).starts_with("node 1 (convolution in Conv_1): expected at most 0 MiB"));
}

}  // namespace execution_test
