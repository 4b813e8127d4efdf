// BatchGradients: slices against the oracle, workers against each other.
#include "engine/guarded_memory.hpp"
#include "engine/run_graph.hpp"
#include "reference/kinks.hpp"
#include "reference/random_graph.hpp"
#include "reference/thread_ranks.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/batch_gradients.hpp>
#include <posemachine/engine/communicator.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>

#include <doctest/doctest.h>
#include <oneapi/tbb/global_control.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace batch_gradients_test {

using namespace posemachine;
using namespace posemachine::schedule;
using namespace posemachine::engine;
using engine_test::as_tensors;
using engine_test::relative_error;

namespace {

constexpr std::uint64_t seed = 5;

std::vector<float> as_floats(const reference::Array& array) { return {array.values.begin(), array.values.end()}; }

// The images first, first + 1, ... of an array.
reference::Array part(const reference::Array& array, int first, int count) {
  reference::Array slice{count, array.c, array.h, array.w, {}};
  const std::ptrdiff_t size = std::ptrdiff_t{array.c} * array.h * array.w;
  slice.values.assign(array.values.begin() + first * size, array.values.begin() + (first + count) * size);
  return slice;
}

// The loss is the sum over all outputs of a given number times the value.
auto linear_loss(const Graph& network, const reference::Filling& filling) {
  return [&network, &filling](const SliceView& view) {
    REQUIRE(view.outputs.size() == network.outputs.size());
    REQUIRE(view.output_gradients.size() == network.outputs.size());
    for (std::size_t k = 0; k < view.outputs.size(); ++k) {
      const auto slopes = part(filling.inputs.at("diff_" + output_name(network, k)), view.first, view.count);
      REQUIRE(view.output_gradients[k].size() == slopes.values.size());
      REQUIRE(view.outputs[k].size() == slopes.values.size());
      for (std::size_t i = 0; i < slopes.values.size(); ++i) {
        view.output_gradients[k][i] = static_cast<float>(slopes.values[i]);
      }
    }
  };
}

// The oracle on one slice after the other; batch norm's running statistics go from each to the next.
struct SliceTruth {
  reference::Parameters gradients;
  reference::Parameters parameters;
  double nearest_kink = std::numeric_limits<double>::infinity();
};

SliceTruth oracle_slices(const Graph& network, int batch, int slice, Size image, const reference::Filling& filling,
                         std::uint64_t step) {
  const Graph graph = differentiate(network);
  SliceTruth truth{reference::Parameters(graph.parameters.size()), filling.parameters};
  for (int first = 0; first < batch; first += slice) {
    reference::Inputs inputs;
    for (const auto& [name, array] : filling.inputs) inputs.emplace(name, part(array, first, slice));
    const reference::Context context{true, seed, step, static_cast<std::uint64_t>(first)};
    const auto result = reference::run(graph, slice, image, inputs, truth.parameters, context);
    truth.nearest_kink = std::min(truth.nearest_kink, reference::nearest_kink(network, result));
    truth.parameters = result.parameters;
    for (std::size_t id = 0; id < truth.gradients.size(); ++id) {
      truth.gradients[id].resize(result.gradients[id].size());
      for (std::size_t i = 0; i < truth.gradients[id].size(); ++i) truth.gradients[id][i] += result.gradients[id][i];
    }
  }
  return truth;
}

// Batch norm, dropout, two stages and a concat, on 8 x 8 pixels.
Graph small_network() {
  Graph graph;
  Value value = add_input(graph, "image", 3);
  value =
      relu(graph, batch_norm(graph, convolution(graph, value, {.out = 16, .kernel = 3}), {.momentum_permille = 300}));
  value = concat(graph, {max_pool(graph, value, {.window = 2}), average_pool(graph, value, {.window = 2})});
  value = dropout(graph, value, {.percent = 25});
  const Value maps = convolution(graph, value, {.out = 5, .kernel = 3});
  add_output(graph, "maps", maps);
  add_output(graph, "maps", convolution(graph, batch_norm(graph, concat(graph, {value, maps})), {.out = 5}));
  return graph;
}

// Everything a step changes, after two steps: gradients and parameters.
std::vector<float> two_steps(const Graph& network, int batch, int slice, int workers,
                             const std::shared_ptr<Communicator>& ranks = nullptr,
                             const Device& device = Device::cpu()) {
  const Graph graph = differentiate(network);
  const auto filling = reference::fill(graph, batch, {8, 8}, 3);
  auto parameters = std::make_shared<std::vector<Tensor>>(as_tensors(network, filling.parameters));
  BatchGradients gradients(
      network, parameters,
      {.batch = batch, .slice = slice, .workers = workers, .image = {8, 8}, .ranks = ranks, .device = device});
  const BlockPartition share = gradients.share();
  const std::vector<float> images =
      as_floats(part(filling.inputs.at("image"), share.first * slice, share.count * slice));
  std::vector<float> all;
  for (std::uint64_t step = 0; step < 2; ++step) {
    gradients.compute("image", images, linear_loss(network, filling), seed, step);
    for (const Tensor& tensor : gradients.gradients())
      all.insert(all.end(), tensor.values.begin(), tensor.values.end());
    for (const Tensor& tensor : *parameters) all.insert(all.end(), tensor.values.begin(), tensor.values.end());
  }
  return all;
}

}  // namespace

TEST_CASE(
    "BatchGradients: gradients are the sums over slices and running statistics merge in slice order, as the oracle's") {
  int checked = 0;
  for (std::uint64_t which = 0; which <= 30; ++which) {
    Graph network = small_network();
    Size image{8, 8};
    if (which > 0) {
      auto random = reference::random_graph(200 + which, {.steps = 10});
      network = random.graph;
      image = random.image;
    }
    if (network.inputs.size() > 1) continue;  // a batch has images alone
    for (const int slice : {1, 2, 3}) {
      // Statistics of a few numbers amplify rounding errors: slices of one image only without batch norm.
      const bool normed = std::any_of(network.nodes.begin(), network.nodes.end(),
                                      [](const Node& node) { return node.op == &batch_norm_op; });
      if (normed && slice == 1) continue;
      const int batch = 3 * slice;
      const auto filling = reference::fill(differentiate(network), batch, image, 3);
      const SliceTruth truth = oracle_slices(network, batch, slice, image, filling, 9);
      if (truth.nearest_kink < 1e-5) continue;
      auto parameters = std::make_shared<std::vector<Tensor>>(as_tensors(network, filling.parameters));
      BatchGradients ours(network, parameters, {.batch = batch, .slice = slice, .workers = 2, .image = image});
      ours.compute("image", as_floats(filling.inputs.at("image")), linear_loss(network, filling), seed, 9);
      double largest = 0;
      for (const auto& gradient : truth.gradients) {
        for (const double value : gradient) largest = std::max(largest, std::abs(value));
      }
      for (std::size_t id = 0; id < network.parameters.size(); ++id) {
        const std::string what = "network " + std::to_string(which) + " slice " + std::to_string(slice) + " " +
                                 parameter_name(network, static_cast<int>(id));
        const double error = relative_error(ours.gradients()[id].values, truth.gradients[id], 1e-3 * largest);
        CHECK_MESSAGE(error < 1e-3, what << ": gradient off by " << error);
        const double moved = relative_error((*parameters)[id].values, truth.parameters[id], 1);
        CHECK_MESSAGE(moved < 1e-5, what << ": value off by " << moved);
      }
      ++checked;
    }
  }
  CHECK(checked >= 30);
}

TEST_CASE("BatchGradients: any number of workers gives the same bytes, running statistics included") {
  const Graph network = small_network();
  for (const int slice : {1, 2, 6}) {
    const std::vector<float> one = two_steps(network, 6, slice, 1);
    CHECK(two_steps(network, 6, slice, 1) == one);
    CHECK(two_steps(network, 6, slice, 2) == one);
    CHECK(two_steps(network, 6, slice, 7) == one);
  }
}

TEST_CASE("BatchGradients: a device that can do less computes the same, up to rounding; one with a memory is refused") {
  const Graph network = small_network();
  const std::vector<float> whole = two_steps(network, 6, 2, 2);
  const Device least = Device::cpu().with(least_capabilities());
  const std::vector<float> plain = two_steps(network, 6, 2, 2, nullptr, least);
  CHECK(plain != whole);  // other kernels ran
  CHECK(two_steps(network, 6, 2, 1, nullptr, least) == plain);
  double square = 0;
  double length = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    square += std::pow(double{plain[i]} - whole[i], 2);
    length += std::pow(double{whole[i]}, 2);
  }
  CHECK(std::sqrt(square / length) < 1e-6);
  const Device apart = Device::cpu().with(least_capabilities(), std::make_shared<engine_test::GuardedMemory>());
  CHECK_THROWS_WITH_AS(two_steps(network, 6, 2, 1, nullptr, apart),
                       "device: expected one whose memory the host sees, to sum gradients in, got a memory of its own",
                       UsageError);
}

TEST_CASE("BatchGradients: no more executions than slices, and at least one worker") {
  const Graph network = small_network();
  const auto parameters =
      std::make_shared<std::vector<Tensor>>(as_tensors(network, reference::fill_parameters(network, 1)));
  const auto executions = [&](int slice, int workers) {
    return BatchGradients(network, parameters, {.batch = 4, .slice = slice, .workers = workers, .image = {8, 8}})
        .executions()
        .size();
  };
  CHECK(executions(1, 2) == 2);
  CHECK(executions(2, 7) == 2);
  CHECK(executions(4, 7) == 1);
  CHECK_THROWS_AS(executions(2, 0), UsageError);
}

TEST_CASE("BatchGradients: by default slices are single images, or up to 8 that divide the batch with batch norm") {
  const Graph network = small_network();
  for (const auto& [batch, slice] : {std::pair{32, 8}, {12, 6}, {7, 7}, {11, 1}, {1, 1}}) {
    CHECK(default_micro_batch(network, batch) == slice);
  }
  Graph plain;
  add_output(plain, "maps", convolution(plain, add_input(plain, "image", 3), {.out = 2}));
  CHECK(default_micro_batch(plain, 32) == 1);
  Graph frozen;
  const auto layers = [](Graph& graph, Value src) { return batch_norm(graph, convolution(graph, src, {.out = 2})); };
  add_output(frozen, "maps", lower_frozen(frozen, layers, add_input(frozen, "image", 3)));
  CHECK(default_micro_batch(frozen, 32) == 1);
  const auto parameters =
      std::make_shared<std::vector<Tensor>>(as_tensors(network, reference::fill_parameters(network, 1)));
  CHECK(BatchGradients(network, parameters, {.batch = 12, .workers = 1, .image = {8, 8}}).slice_count() == 2);
}

TEST_CASE(
    "BatchGradients: a batch that slices do not divide, and images of another size, are refused with the figures") {
  const Graph network = small_network();
  const auto parameters =
      std::make_shared<std::vector<Tensor>>(as_tensors(network, reference::fill_parameters(network, 1)));
  const auto make = [&](int batch, int slice) {
    BatchGradients(network, parameters, {.batch = batch, .slice = slice, .workers = 1, .image = {8, 8}});
  };
  CHECK_THROWS_WITH_AS(make(4, 3), "batch: expected a multiple of the slice, 3, got 4", UsageError);
  CHECK_THROWS_WITH_AS(make(0, 3), "batch: expected a multiple of the slice, 3, got 0", UsageError);
  CHECK_THROWS_WITH_AS(make(0, 0), "batch: expected a multiple of the slice, 0, got 0", UsageError);
  BatchGradients gradients(network, parameters, {.batch = 4, .slice = 2, .workers = 1, .image = {8, 8}});
  const auto no_loss = [](const SliceView&) {};
  for (const std::size_t size : {std::size_t{0}, std::size_t{4 * 3 * 64 - 2}, std::size_t{8 * 3 * 64}}) {
    const std::vector<float> images(size);
    const std::string text = "images of a batch: expected 768 values, got " + std::to_string(size);
    CHECK_THROWS_WITH_AS(gradients.compute("image", images, no_loss, 1, 0), text.c_str(), UsageError);
  }
  const std::vector<float> images(768);
  CHECK_THROWS_AS(gradients.compute("picture", images, no_loss, 1, 0), UsageError);
}

TEST_CASE("BatchGradients: what the loss throws comes out, moves no statistic, and the next step is as ever") {
  const Graph network = small_network();
  const auto filling = reference::fill(differentiate(network), 4, {8, 8}, 3);
  const std::vector<float> images = as_floats(filling.inputs.at("image"));
  const auto start = as_tensors(network, filling.parameters);
  for (const int workers : {1, 2}) {
    std::vector<std::vector<Tensor>> results;
    for (const bool fails_first : {false, true}) {
      auto parameters = std::make_shared<std::vector<Tensor>>(start);
      BatchGradients gradients(network, parameters, {.batch = 4, .slice = 2, .workers = workers, .image = {8, 8}});
      if (fails_first) {
        const auto broken = [](const SliceView& view) {
          if (view.index == 1) throw std::runtime_error("no target");
        };
        CHECK_THROWS_WITH_AS(gradients.compute("image", images, broken, seed, 0), "no target", std::runtime_error);
        for (std::size_t id = 0; id < start.size(); ++id) CHECK((*parameters)[id].values == start[id].values);
      }
      gradients.compute("image", images, linear_loss(network, filling), seed, 0);
      results.push_back(gradients.gradients());
    }
    for (std::size_t id = 0; id < start.size(); ++id) CHECK(results[0][id].values == results[1][id].values);
  }
}

TEST_CASE("BatchGradients: more workers than slices, and than processors, give the bytes of one") {
  // Real threads, as on a machine with 8 processors: on a smaller one oneTBB would not start them.
  const oneapi::tbb::global_control permit(oneapi::tbb::global_control::max_allowed_parallelism, 8);
  const Graph network = small_network();
  const std::vector<float> one = two_steps(network, 6, 2, 1);
  for (const int workers : {3, 4, 8}) {
    for (int repeat = 0; repeat < 3; ++repeat) CHECK(two_steps(network, 6, 2, workers) == one);
  }
  CHECK(two_steps(network, 6, 1, 8) == two_steps(network, 6, 1, 1));
}

TEST_CASE("BatchGradients: any number of ranks, with any number of workers each, gives every rank the bytes of one") {
  const Graph network = small_network();
  for (const std::pair<int, int>& sizes : {std::pair{6, 1}, {5, 1}, {8, 2}, {7, 1}}) {
    const int batch = sizes.first, slice = sizes.second;
    const std::vector<float> one = two_steps(network, batch, slice, 1);
    for (int count = 1; count <= 4; ++count) {
      for (const int workers : {1, 2}) {
        INFO("batch " << batch << ", slice " << slice << " on " << count << " ranks of " << workers << " workers");
        std::vector<std::vector<float>> results(static_cast<std::size_t>(count));
        reference::on_ranks(count, [&](const std::shared_ptr<Communicator>& ranks) {
          results[static_cast<std::size_t>(ranks->rank())] = two_steps(network, batch, slice, workers, ranks);
        });
        for (const auto& result : results) CHECK(result == one);
      }
    }
  }
}

TEST_CASE("BatchGradients: ranks compute their own slices alone, and more of them than slices are refused") {
  const Graph network = small_network();
  const auto filling = reference::fill(differentiate(network), 5, {8, 8}, 3);
  std::vector<int> computed(5);  // by slice: the rank
  reference::on_ranks(2, [&](const std::shared_ptr<Communicator>& ranks) {
    const auto parameters = std::make_shared<std::vector<Tensor>>(as_tensors(network, filling.parameters));
    BatchGradients gradients(network, parameters,
                             {.batch = 5, .slice = 1, .workers = 1, .image = {8, 8}, .ranks = ranks});
    CHECK(gradients.slice_count() == 5);
    const auto loss = [&](const SliceView& view) {
      CHECK(view.first == view.index);
      computed[static_cast<std::size_t>(view.index)] += 1 + ranks->rank();
      for (const auto& gradient : view.output_gradients) std::fill(gradient.begin(), gradient.end(), 1.0f);
    };
    const std::vector<float> images = as_floats(filling.inputs.at("image"));
    CHECK_THROWS_WITH_AS(gradients.compute("image", images, loss, 1, 0), doctest::Contains("got 960"), UsageError);
    const std::size_t own = static_cast<std::size_t>(gradients.share().count) * 192;
    gradients.compute("image", std::span(images).first(own), loss, 1, 0);
  });
  CHECK(computed == std::vector<int>{1, 1, 2, 2, 2});

  const auto parameters =
      std::make_shared<std::vector<Tensor>>(as_tensors(network, reference::fill_parameters(network, 1)));
  CHECK_THROWS_WITH_AS(
      reference::on_ranks(3,
                          [&](const std::shared_ptr<Communicator>& ranks) {
                            BatchGradients(network, parameters,
                                           {.batch = 4, .slice = 2, .workers = 1, .image = {8, 8}, .ranks = ranks});
                          }),
      "ranks: expected at most one for each of the 2 slices of a batch, got 3; start fewer processes, or train with a "
      "larger batch or smaller slices",
      UsageError);
}

namespace {

// A rank whose first word is another than rank 0 said: as on a machine with other kernels.
class Misheard : public Communicator {
 public:
  explicit Misheard(std::shared_ptr<Communicator> ranks) : ranks_(std::move(ranks)) {}
  int rank() const override { return ranks_->rank(); }
  int count() const override { return ranks_->count(); }
  void send(int to, std::span<const std::byte> bytes) override { ranks_->send(to, bytes); }
  void receive(int from, std::span<std::byte> bytes) override { ranks_->receive(from, bytes); }
  void broadcast(int root, std::span<std::byte> bytes) override {
    ranks_->broadcast(root, bytes);
    if (root == 0 && rank() == 1 && bytes.size() > sizeof(std::uint64_t)) bytes.front() = std::byte{'?'};
  }

 private:
  std::shared_ptr<Communicator> ranks_;
};

}  // namespace

TEST_CASE("BatchGradients: a rank with other kernels than the first is refused before it computes") {
  const Graph network = small_network();
  const auto run = [&](const std::shared_ptr<Communicator>& ranks) {
    two_steps(network, 4, 2, 1, std::make_shared<Misheard>(ranks));
  };
  CHECK_THROWS_WITH_AS(reference::on_ranks(2, run), doctest::Contains("rank 1: expected the kernels of rank 0, ?"),
                       RuntimeFailure);
}

}  // namespace batch_gradients_test
