// Weights of joints, from the targets through the loss to the gradients of a network's parameters.
#include "reference/fill.hpp"
#include "reference/kinks.hpp"
#include "reference/oracle.hpp"

#include <posemachine/core/random.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/batch_gradients.hpp>
#include <posemachine/graph/build.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/pose/targets.hpp>
#include <posemachine/training/losses/squared_error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

using namespace posemachine;
using namespace posemachine::engine;

namespace {

constexpr int batch = 4, slice = 2, joint_count = 3, map_count = joint_count + 1;
constexpr Size image{10, 14}, map_size{5, 7};
constexpr std::size_t cells = 35;
constexpr double epsilon = std::numeric_limits<float>::epsilon();

// Two layers and a stride: every parameter hears of every map.
Graph small_network() {
  Graph graph;
  const Value image_in = add_input(graph, "image", 3);
  const Value trunk = relu(graph, convolution(graph, image_in, {.out = 8, .kernel = 3, .stride = 2}));
  add_output(graph, "heatmaps", convolution(graph, trunk, {.out = map_count, .kernel = 3}));
  return graph;
}

// The joints of a batch, in input pixels, with these weights in the order of images and joints.
std::vector<std::vector<Joint>> joints_with(const std::vector<float>& weights) {
  RandomStream stream(8, Purpose::test);
  std::vector<std::vector<Joint>> people(batch);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double x = stream.uniform(0, image.width), y = stream.uniform(0, image.height);
    people[i / joint_count].push_back({{x, y}, JointState::visible, weights[i]});
  }
  return people;
}

struct Targets {
  std::vector<float> maps;     // (batch, joints + 1, cells)
  std::vector<float> weights;  // (batch, joints + 1)
};

Targets targets_of(const std::vector<std::vector<Joint>>& people) {
  Targets targets{std::vector<float>(batch * map_count * cells), std::vector<float>(batch * map_count)};
  for (std::size_t n = 0; n < people.size(); ++n) {
    float* const maps = targets.maps.data() + n * map_count * cells;
    render_targets(people[n], {.map = map_size, .stride = 2, .sigma_px = 2}, maps,
                   targets.weights.data() + n * map_count);
  }
  return targets;
}

struct Outcome {
  double loss = 0;
  std::vector<std::vector<double>> gradients;  // by parameter id
};

// A network with numbers in it, and the gradients of its weighted loss: ours, the oracle's, and the loss's slopes.
class Probe {
 public:
  Probe()
      : network_(small_network()),
        graph_(differentiate(network_)),
        filling_(reference::fill(graph_, batch, image, 3)) {}

  Outcome ours(const Targets& targets) const {
    auto parameters = std::make_shared<std::vector<Tensor>>();
    for (std::size_t id = 0; id < filling_.parameters.size(); ++id) {
      const Parameter& parameter = network_.parameters[id];
      Tensor tensor(Shape(parameter.extents.begin(), parameter.extents.begin() + parameter.rank));
      for (std::size_t i = 0; i < tensor.values.size(); ++i) {
        tensor.values[i] = static_cast<float>(filling_.parameters[id][i]);
      }
      parameters->push_back(std::move(tensor));
    }
    const auto& given = filling_.inputs.at("image").values;
    const std::vector<float> images(given.begin(), given.end());
    BatchGradients gradients(network_, parameters, {.batch = batch, .slice = slice, .workers = 1, .image = image});
    Outcome step;
    gradients.compute(
        "image", images,
        [&](const SliceView& view) {
          const auto first = static_cast<std::size_t>(view.first) * map_count;
          const std::span<const float> maps(targets.maps.data() + first * cells, slice * map_count * cells);
          const std::span<const float> weights(targets.weights.data() + first, slice * map_count);
          step.loss += heatmap_loss({view.outputs[0], maps, weights, cells, batch}, view.output_gradients[0]);
        },
        1, 0);
    for (const Tensor& tensor : gradients.gradients()) {
      step.gradients.emplace_back(tensor.values.begin(), tensor.values.end());
    }
    return step;
  }

  // In double precision, from the definition of the loss.
  Outcome oracle(const Targets& targets) const { return oracle(targets, filling_.parameters); }

  Outcome oracle(const Targets& targets, const reference::Parameters& parameters) const {
    reference::Inputs inputs = filling_.inputs;
    const auto forward = reference::run(graph_, batch, image, inputs, parameters);
    const reference::Array& maps = forward[reference::output_value(network_, "heatmaps")];
    reference::Array& slopes = inputs.at("diff_heatmaps");
    Outcome step;
    for (std::size_t i = 0; i < maps.values.size(); ++i) {
      const double weight = double{targets.weights[i / cells]};
      const double difference = maps.values[i] - double{targets.maps[i]};
      slopes.values[i] = weight * difference / batch;
      step.loss += weight * difference * difference / (2 * batch);
    }
    step.gradients = reference::run(graph_, batch, image, inputs, parameters).gradients;
    return step;
  }

  double nearest_kink() const {
    return reference::nearest_kink(network_,
                                   reference::run(graph_, batch, image, filling_.inputs, filling_.parameters));
  }
  const reference::Parameters& parameters() const { return filling_.parameters; }

 private:
  Graph network_;
  Graph graph_;
  reference::Filling filling_;
};

double largest(const Outcome& step) {
  double most = 0;
  for (const auto& gradient : step.gradients) {
    for (const double each : gradient) most = std::max(most, std::abs(each));
  }
  return most;
}

// The largest difference of a - b and factor * (c - d).
double departure(const Outcome& a, const Outcome& b, double factor, const Outcome& c, const Outcome& d) {
  double worst = 0;
  for (std::size_t id = 0; id < a.gradients.size(); ++id) {
    for (std::size_t i = 0; i < a.gradients[id].size(); ++i) {
      const double left = a.gradients[id][i] - b.gradients[id][i];
      worst = std::max(worst, std::abs(left - factor * (c.gradients[id][i] - d.gradients[id][i])));
    }
  }
  return worst;
}

std::vector<float> mixed_weights() {
  std::vector<float> weights(batch * joint_count, 1.0f);
  weights[1] = 0.5f, weights[3] = 0.3f, weights[5] = 0, weights[6] = 0.7f, weights[10] = 0.125f;
  return weights;
}

// A gradient sums 140 cells, each a sum of 72 products or fewer; errors add up in the worst case.
constexpr double rounding = (140 + 72) * epsilon;

}  // namespace

TEST_CASE("label weights: the gradients of every parameter are those of the weighted loss, in double precision") {
  const Probe probe;
  REQUIRE(probe.nearest_kink() > 1e-4);
  const Targets targets = targets_of(joints_with(mixed_weights()));
  const Outcome truth = probe.oracle(targets);
  const Outcome ours = probe.ours(targets);
  CHECK(ours.loss == doctest::Approx(truth.loss).epsilon(rounding));
  CHECK(departure(ours, truth, 0, ours, truth) <= rounding * largest(truth));

  // The oracle's gradients are slopes of the loss: central differences at some elements of every parameter.
  for (std::size_t id = 0; id < truth.gradients.size(); ++id) {
    RandomStream stream(2, Purpose::test, id);
    for (int sample = 0; sample < 6; ++sample) {
      const auto i = static_cast<std::size_t>(stream.below(truth.gradients[id].size()));
      constexpr double step = 1e-5;  // below the nearest kink
      reference::Parameters moved = probe.parameters();
      moved[id][i] += step;
      const double above = probe.oracle(targets, moved).loss;
      moved[id][i] -= 2 * step;
      const double below = probe.oracle(targets, moved).loss;
      CHECK(std::abs((above - below) / (2 * step) - truth.gradients[id][i]) <= 1e-7 * largest(truth));
    }
  }
}

TEST_CASE("label weights: parameter gradients are linear in the weight of a joint and of the background with it") {
  const Probe probe;
  for (const std::size_t joint : {std::size_t{0}, std::size_t{7}, std::size_t{11}}) {
    const auto with = [&](float weight) {
      std::vector<float> weights(batch * joint_count, 1.0f);
      weights[joint] = weight;
      return targets_of(joints_with(weights));
    };
    // Weight 0 draws no peak: the maps without the joint, but its weights are those of a joint that is there.
    Targets zero = with(1);
    zero.weights = with(0).weights;
    const Outcome whole = probe.ours(with(1)), none = probe.ours(zero);
    const Outcome true_whole = probe.oracle(with(1)), true_none = probe.oracle(zero);
    for (const float weight : {0.25f, 0.5f, 0.9f}) {
      const double factor = double{weight};
      CHECK(departure(probe.oracle(with(weight)), true_none, factor, true_whole, true_none) <=
            1e-14 * 140 * largest(true_whole));
      CHECK(departure(probe.ours(with(weight)), none, factor, whole, none) <= 3 * rounding * largest(whole));
    }
    CHECK(largest(none) > 0);
    CHECK(departure(whole, none, 0, whole, none) > 0.001 * largest(whole));  // the joint is heard at all
  }
}

TEST_CASE("label weights: half of every weight is half of the loss and of every gradient, to the last bit") {
  const Probe probe;
  std::vector<float> weights = mixed_weights();
  const Outcome whole = probe.ours(targets_of(joints_with(weights)));
  for (float& weight : weights) weight /= 2;
  const Outcome half = probe.ours(targets_of(joints_with(weights)));
  CHECK(half.loss == whole.loss / 2);
  for (std::size_t id = 0; id < whole.gradients.size(); ++id) {
    for (std::size_t i = 0; i < whole.gradients[id].size(); ++i) {
      CHECK(half.gradients[id][i] == whole.gradients[id][i] / 2);
    }
  }
}

TEST_CASE("label weights: a joint of weight 0 gives the loss and gradients of an unlabelled one, to the last bit") {
  const Probe probe;
  std::vector<float> weights = mixed_weights();
  weights[4] = 0;
  auto unlabelled = joints_with(weights);
  for (auto& joints : unlabelled) {
    for (Joint& joint : joints) {
      if (joint.weight == 0) joint = {};
    }
  }
  const Outcome weightless = probe.ours(targets_of(joints_with(weights)));
  const Outcome expected = probe.ours(targets_of(unlabelled));
  CHECK(weightless.loss == expected.loss);
  CHECK(weightless.gradients == expected.gradients);
}
