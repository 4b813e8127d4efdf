// PreparedWeights: forms made once, shared, and kept up to date.
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/device.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <numeric>
#include <span>
#include <thread>
#include <vector>

namespace prepared_weights_test {

using namespace posemachine;
using namespace posemachine::engine;

namespace {

std::shared_ptr<std::vector<Tensor>> two_parameters() {
  auto parameters = std::make_shared<std::vector<Tensor>>();
  parameters->emplace_back(Shape{17, 3, 3, 3});
  parameters->emplace_back(Shape{17});
  for (Tensor& tensor : *parameters) std::iota(tensor.values.begin(), tensor.values.end(), 1.0f);
  return parameters;
}

dnnl::memory::desc blocked_weights() {
  return {{17, 3, 3, 3}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::OIhw8i8o};
}

// Output channel 1, input channel 2, in blocks of 8 x 8: the kernel's first cell.
float one_weight(const dnnl::memory& memory) { return static_cast<const float*>(memory.get_data_handle())[2 * 8 + 1]; }

}  // namespace

TEST_CASE("PreparedWeights: the plain layout is the parameters themselves, without a copy") {
  const auto parameters = two_parameters();
  PreparedWeights weights(parameters);
  for (int id = 0; id < 2; ++id) {
    const Tensor& tensor = (*parameters)[static_cast<std::size_t>(id)];
    CHECK(weights.get(id, engine::detail::plain_desc(tensor.shape)).get_data_handle() == tensor.values.data());
  }
  CHECK(weights.bytes() == 0);
}

TEST_CASE("PreparedWeights: a layout is prepared once, whoever asks, and padded with zeros") {
  PreparedWeights weights(two_parameters());
  const dnnl::memory first = weights.get(0, blocked_weights());
  CHECK(one_weight(first) == 1.0f * (1 * 27 + 2 * 9) + 1);
  const auto* values = static_cast<const float*>(first.get_data_handle());
  CHECK(values[3 * 8] == 0.0f);  // input channel 3 of 3
  CHECK(weights.get(0, blocked_weights()).get_data_handle() == first.get_data_handle());
  CHECK(weights.bytes() == blocked_weights().get_size());
  std::vector<void*> handles(4);
  std::vector<std::thread> threads;
  PreparedWeights shared(two_parameters());
  for (void*& handle : handles)
    threads.emplace_back([&] { handle = shared.get(0, blocked_weights()).get_data_handle(); });
  for (std::thread& thread : threads) thread.join();
  CHECK(std::count(handles.begin(), handles.end(), handles.front()) == 4);
  CHECK(shared.bytes() == blocked_weights().get_size());
}

TEST_CASE("PreparedWeights: refresh() carries changed values into every form, and only refresh() does") {
  const auto parameters = two_parameters();
  PreparedWeights weights(parameters);
  const dnnl::memory memory = weights.get(0, blocked_weights());
  (*parameters)[0].values[1 * 27 + 2 * 9] = -5.0f;
  CHECK(one_weight(memory) == 46.0f);
  weights.refresh();
  CHECK(one_weight(memory) == -5.0f);
}

TEST_CASE("PreparedWeights: an execution made before a refresh computes with the new values") {
  Graph graph;
  const Value image = add_input(graph, "image", 32);
  add_output(graph, "out", convolution(graph, image, {.out = 32}));
  const auto parameters = std::make_shared<std::vector<Tensor>>();
  parameters->emplace_back(Shape{32, 32, 1, 1}, 1.0f);
  parameters->emplace_back(Shape{32}, 0.5f);
  const auto weights = std::make_shared<PreparedWeights>(parameters);
  ProgramOptions options;
  options.image = {4, 4};
  Execution execution(graph, weights, options);
  const std::span<float> input = execution.input("image");
  std::fill(input.begin(), input.end(), 1.0f);
  const auto all_are = [&](float expected) {
    execution.run();
    const std::span<const float> output = execution.output(0);
    return std::all_of(output.begin(), output.end(), [&](float value) { return value == expected; });
  };
  CHECK(all_are(32.5f));
  std::fill((*parameters)[0].values.begin(), (*parameters)[0].values.end(), 2.0f);
  std::fill((*parameters)[1].values.begin(), (*parameters)[1].values.end(), 0.25f);
  weights->refresh();
  CHECK(all_are(64.25f));
}

}  // namespace prepared_weights_test
