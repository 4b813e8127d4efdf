// Gradients of whole networks under both losses, against central differences of the double-precision oracle.
#include "engine/run_graph.hpp"
#include "reference/fill.hpp"
#include "reference/oracle.hpp"

#include <posemachine/core/random.hpp>
#include <posemachine/engine/batch_gradients.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/graph/passes/heatmap_logits.hpp>
#include <posemachine/training/losses/losses.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace loss_gradients_test {

using namespace posemachine;
using namespace posemachine::engine;

namespace {

constexpr int images = 2, map_count = 5;
constexpr Size image{6, 5};
constexpr std::size_t cells = 30;

// Two stages, the second of which reads the distributions of the first; smooth, so that differences are exact.
Graph two_stages(bool distributions) {
  Graph graph;
  const Value features = sigmoid(graph, convolution(graph, add_input(graph, "image", 3), {.out = 8, .kernel = 3}));
  Value maps = convolution(graph, features, {.out = map_count});
  if (distributions) maps = spatial_softmax(graph, maps, {.scale_percent = 700});
  add_output(graph, "maps", maps);
  maps = convolution(graph, concat(graph, {features, maps}), {.out = map_count, .kernel = 3});
  if (distributions) maps = spatial_softmax(graph, maps, {.scale_percent = 700});
  add_output(graph, "maps", maps);
  return graph;
}

struct Labels {
  std::vector<float> targets, weights;

  Labels() : targets(images * map_count * cells), weights(images * map_count) {
    RandomStream stream(9, Purpose::test);
    for (float& value : targets) value = static_cast<float>(stream.uniform());
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i % 4) / 3.0F;  // 0 to 1
  }
};

// As the losses are written, from the outputs themselves: a distribution is its share times the scale.
double naive_loss(const std::string& loss, const reference::Array& maps, const Labels& labels) {
  double sum = 0;
  for (std::size_t map = 0; map < labels.weights.size(); ++map) {
    double target_sum = 0, map_sum = 0;
    for (std::size_t i = map * cells; i < (map + 1) * cells; ++i) {
      target_sum += double{labels.targets[i]};
      map_sum += maps.values[i];
    }
    for (std::size_t i = map * cells; i < (map + 1) * cells; ++i) {
      const double target = double{labels.targets[i]};
      const double difference = maps.values[i] - target;
      const double size = std::abs(difference);
      const double delta = double{huber_delta};
      const double cell = loss == "squared_error" ? difference * difference / 2
                          : loss == "huber"       ? (size < delta ? size * size / 2 : delta * (size - delta / 2))
                                                  : -target / target_sum * std::log(maps.values[i] / map_sum);
      sum += double{labels.weights[map]} * cell;
    }
  }
  return sum / images;
}

void check_gradients_of(const std::string& name) {
  const LossKind loss = LossKinds().get(name, "loss");
  const Graph network = two_stages(loss.of_logits);
  const Labels labels;
  auto filling = reference::fill(network, images, image, 4);
  auto parameters = std::make_shared<std::vector<Tensor>>(engine_test::as_tensors(network, filling.parameters));
  BatchGradientsOptions options;
  options.batch = images;
  options.slice = 1;
  options.workers = 1;
  options.image = image;
  BatchGradients gradients(loss.of_logits ? with_logits(network) : network, parameters, options);
  const std::vector<double>& pixels = filling.inputs.at("image").values;
  double total = 0;
  gradients.compute(
      "image", std::vector<float>(pixels.begin(), pixels.end()),
      [&](const SliceView& view) {
        const std::size_t maps = static_cast<std::size_t>(view.count) * map_count;
        const std::size_t first = static_cast<std::size_t>(view.first) * map_count;
        for (std::size_t stage = 0; stage < 2; ++stage) {
          total += loss.compute({view.outputs[stage], std::span(labels.targets).subspan(first * cells, maps * cells),
                                 std::span(labels.weights).subspan(first, maps), cells, images},
                                view.output_gradients[stage]);
        }
      },
      1, 0);

  const auto loss_of = [&] {
    const auto result = reference::run(network, images, image, filling.inputs, filling.parameters);
    double sum = 0;
    for (const Port& output : network.outputs) sum += naive_loss(name, result[Value{output.value}], labels);
    return sum;
  };
  CHECK(total == doctest::Approx(loss_of()).epsilon(1e-5));
  double largest_of_all = 0;
  for (std::size_t id = 0; id < filling.parameters.size(); ++id) {
    double largest = 0;  // of the tensor's gradients
    for (const float value : gradients.gradients()[id].values) largest = std::max(largest, std::abs(double{value}));
    largest_of_all = std::max(largest_of_all, largest);
    // A bias that shifts all logits of a map changes no distribution: its gradient is 0 but for rounding.
    const double tolerance = 1e-4 * largest + 1e-7;
    for (std::size_t i = 0; i < filling.parameters[id].size(); i += 7) {
      CAPTURE(parameter_name(network, static_cast<int>(id)));
      double& value = filling.parameters[id][i];
      const double at = value;
      constexpr double step = 1e-5;
      value = at + step;
      const double above = loss_of();
      value = at - step;
      const double below = loss_of();
      value = at;
      const double expected = (above - below) / (2 * step);
      CHECK(std::abs(double{gradients.gradients()[id].values[i]} - expected) < tolerance);
    }
  }
  CHECK(largest_of_all > 0.01);
}

}  // namespace

TEST_CASE("losses: parameter gradients under squared error equal central differences of the oracle") {
  check_gradients_of("squared_error");
}

TEST_CASE("losses: parameter gradients under Huber's loss equal central differences of the oracle") {
  check_gradients_of("huber");
}

TEST_CASE("losses: parameter gradients under cross-entropy equal central differences, read distributions included") {
  check_gradients_of("cross_entropy");
}

}  // namespace loss_gradients_test
