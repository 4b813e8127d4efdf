// Update rules against loops in double precision, written from the rules' own text.
#include "small_run.hpp"

#include <posemachine/base/parallel.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/model/initialise.hpp>
#include <posemachine/training/optimizer.hpp>
#include <posemachine/training/optimizers/optimizers.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace optimizer_test {

using namespace posemachine;

namespace {

using Numbers = std::vector<double>;

std::vector<Tensor> random_gradients(const Graph& graph, std::uint64_t step) {
  std::vector<Tensor> gradients = initialise(graph, 1);
  for (std::size_t id = 0; id < gradients.size(); ++id) {
    RandomStream stream(77, Purpose::test, step, id);
    for (float& value : gradients[id].values)
      value = static_cast<float>(stream.uniform(-1, 1) * std::pow(10.0, stream.uniform(-4, 1)));
  }
  return gradients;
}

// One update of one number: m and h are what is kept of it.
struct Rule {
  OptimizerOptions o;
  double rate;

  void operator()(double& w, double g, double& m, double& h, int t, bool decays) const {
    const double decay = decays ? o.weight_decay : 0;
    if (o.kind == "sgd") {  // torch.optim.SGD
      g += decay * w;
      m = o.momentum * m + g;
      w -= rate * (o.momentum != 0 ? m : g);
    } else if (o.kind == "rmsprop") {  // Caffe's RMSPropSolver; torch.optim.RMSprop's momentum
      g += decay * w;
      h = o.rho * h + (1 - o.rho) * g * g;
      const double scaled = g / (std::sqrt(h) + o.epsilon);
      m = o.momentum * m + scaled;
      w -= rate * (o.momentum != 0 ? m : scaled);
    } else if (o.kind == "radam") {  // torch.optim.RAdam(decoupled_weight_decay=True)
      w *= 1 - rate * decay;
      m = o.beta1 * m + (1 - o.beta1) * g;
      h = o.beta2 * h + (1 - o.beta2) * g * g;
      const double correction1 = 1 - std::pow(o.beta1, t), correction2 = 1 - std::pow(o.beta2, t);
      const double rho_inf = 2 / (1 - o.beta2) - 1;
      const double rho = rho_inf - 2 * t * std::pow(o.beta2, t) / correction2;
      if (rho > 5) {
        const double rect = std::sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho));
        w -= rate * m / correction1 * std::sqrt(correction2) / (std::sqrt(h) + o.epsilon) * rect;
      } else {
        w -= rate * m / correction1;
      }
    } else {  // torch.optim.AdamW
      w *= 1 - rate * decay;
      m = o.beta1 * m + (1 - o.beta1) * g;
      h = o.beta2 * h + (1 - o.beta2) * g * g;
      const double m_hat = m / (1 - std::pow(o.beta1, t));
      const double h_hat = h / (1 - std::pow(o.beta2, t));
      w -= rate * m_hat / (std::sqrt(h_hat) + o.epsilon);
    }
  }
};

// The largest difference after 20 steps, in units of the largest movement.
double compare(const OptimizerOptions& options, double rate) {
  const Graph graph = graph_of<small_run::Tiny>();
  std::vector<Tensor> parameters = initialise(graph, 9);
  for (Tensor& tensor : parameters) {
    for (float& value : tensor.values) value += 0.25f;  // biases that decay
  }
  std::vector<Numbers> w, m, h;
  for (const Tensor& tensor : parameters) {
    w.emplace_back(tensor.values.begin(), tensor.values.end());
    m.emplace_back(tensor.values.size());
    h.emplace_back(tensor.values.size());
  }
  const std::vector<Numbers> start = w;
  Optimizer optimizer(graph, options);
  Workers workers(1);
  for (int step = 0; step < 20; ++step) {
    const std::vector<Tensor> gradients = random_gradients(graph, std::uint64_t(step));
    optimizer.update(parameters, gradients, rate, step, workers);
    for (std::size_t id = 0; id < w.size(); ++id) {
      if (!graph.parameters[id].trainable) continue;
      const bool decays = graph.parameters[id].rank > 1 || options.decay_vectors;
      for (std::size_t i = 0; i < w[id].size(); ++i) {
        Rule{options, rate}(w[id][i], double{gradients[id].values[i]}, m[id][i], h[id][i], step + 1, decays);
      }
    }
  }
  double difference = 0, movement = 0;
  for (std::size_t id = 0; id < w.size(); ++id) {
    for (std::size_t i = 0; i < w[id].size(); ++i) {
      difference = std::max(difference, std::abs(w[id][i] - double{parameters[id].values[i]}));
      movement = std::max(movement, std::abs(w[id][i] - start[id][i]));
    }
  }
  REQUIRE(movement > 1e-3);
  return difference / movement;
}

}  // namespace

TEST_CASE("Optimizer: 20 steps of every rule are those of a double-precision loop, with and without momentum") {
  const std::vector<std::string> kinds = OptimizerKinds().names();
  REQUIRE(kinds == std::vector<std::string>{"rmsprop", "sgd", "adamw", "radam"});  // all of which Rule knows
  for (const std::string& kind : kinds) {
    for (const double momentum : {0.0, 0.9}) {
      for (const bool vectors : {false, true}) {
        OptimizerOptions options;
        options.kind = kind;
        options.momentum = momentum;
        options.weight_decay = 0.05;
        options.decay_vectors = vectors;
        INFO("kind " << kind << ", momentum " << momentum << ", vectors " << vectors);
        // 20 steps of about 10 roundings of 6e-8 each.
        CHECK(compare(options, 0.01) < 2e-5);
      }
    }
  }
}

TEST_CASE("Optimizer: Caffe's epsilon stands outside the root, and weight decay moves what no gradient moves") {
  const Graph graph = graph_of<small_run::Tiny>();
  Workers workers(1);
  OptimizerOptions options;
  options.kind = "rmsprop";
  options.weight_decay = 0;
  options.epsilon = 0.5;
  Optimizer rmsprop(graph, options);
  std::vector<Tensor> parameters = initialise(graph, 1);
  std::vector<Tensor> gradients = parameters;
  for (Tensor& tensor : gradients) tensor.values.assign(tensor.values.size(), 2.0f);
  const float before = parameters[0].values[0];
  rmsprop.update(parameters, gradients, 0.1, 0, workers);
  // h = 0.01 * 4 = 0.04; 2 / (0.2 + 0.5), not 2 / sqrt(0.04 + 0.5)
  CHECK(before - parameters[0].values[0] == doctest::Approx(0.1 * 2 / 0.7).epsilon(1e-5));

  for (const bool vectors : {false, true}) {
    OptimizerOptions decay;
    decay.weight_decay = 0.5;
    decay.decay_vectors = vectors;
    Optimizer adamw(graph, decay);
    std::vector<Tensor> w = initialise(graph, 1);
    for (Tensor& tensor : w) tensor.values.assign(tensor.values.size(), 1.0f);
    std::vector<Tensor> zeros = w;
    for (Tensor& tensor : zeros) tensor.values.assign(tensor.values.size(), 0.0f);
    adamw.update(w, zeros, 0.1, 0, workers);
    for (std::size_t id = 0; id < w.size(); ++id) {
      const Parameter& parameter = graph.parameters[id];
      const bool decays = parameter.trainable && (parameter.rank > 1 || vectors);
      CHECK(double{w[id].values[0]} == doctest::Approx(decays ? 0.95 : 1.0));
    }
  }
}

TEST_CASE("Optimizer: batch norm's running statistics are no parameters, and the bytes do not depend on the workers") {
  const Graph graph = graph_of<small_run::Tiny>();
  std::vector<std::vector<Tensor>> results;
  for (const int threads : {1, 2}) {
    std::vector<Tensor> parameters = initialise(graph, 1);
    Optimizer optimizer(graph, {});
    Workers workers(threads);
    for (int step = 0; step < 3; ++step)
      optimizer.update(parameters, random_gradients(graph, std::uint64_t(step)), 0.1, step, workers);
    int buffers = 0;
    for (std::size_t id = 0; id < parameters.size(); ++id) {
      if (graph.parameters[id].trainable) continue;
      ++buffers;
      CHECK(parameters[id].values == initialise(graph, 1)[id].values);
      for (const OptimizerState& each : optimizer.state()) CHECK(each.values[id].empty());
    }
    CHECK(buffers == 2);
    results.push_back(parameters);
  }
  for (std::size_t id = 0; id < results[0].size(); ++id) {
    CHECK(results[0][id].values == results[1][id].values);
  }
}

TEST_CASE("Optimizer: tensors and moments of another network are refused") {
  const Graph graph = graph_of<small_run::Tiny>();
  Workers workers(1);
  Optimizer adamw(graph, {});
  std::vector<Tensor> parameters = initialise(graph, 1);
  std::vector<Tensor> few(parameters.begin(), parameters.end() - 1);
  CHECK_THROWS_WITH_AS(adamw.update(parameters, few, 0.1, 0, workers), doctest::Contains("gradients"), UsageError);
  few = parameters;
  few[0].values.pop_back();
  CHECK_THROWS_WITH_AS(adamw.update(few, parameters, 0.1, 0, workers), doctest::Contains("parameters"), UsageError);
  OptimizerOptions options;
  options.kind = "sgd";
  const Optimizer sgd(graph, options);
  CHECK_THROWS_WITH_AS(adamw.restore(sgd.state()),
                       doctest::Contains("expected first, second of this network's parameters, as adamw"), ModelError);
  std::vector<OptimizerState> fewer = adamw.state();
  fewer[1].values[0].pop_back();
  CHECK_THROWS_WITH_AS(adamw.restore(fewer), doctest::Contains("got first, second of other sizes"), ModelError);
}

TEST_CASE("radam: the first 5 updates are not divided by mean squares, later ones nearly as adamw's") {
  CHECK(detail::radam_rectifier(0.999, 5) == 0);
  CHECK(detail::radam_rectifier(0.999, 6) > 0);
  CHECK(detail::radam_rectifier(0.999, 6) < 0.05);
  CHECK(detail::radam_rectifier(0.999, 20000) == doctest::Approx(1).epsilon(1e-6));
  CHECK(detail::radam_rectifier(0, 3) == 0);
}

TEST_CASE("Optimizer: a rule of one's own keeps what it wants by names of its own and goes on from it") {
  // Momentum over the sign of the gradient, and the number of updates seen by each weight.
  constexpr OptimizerKind mine{
      .name = "signs",
      .does = "momentum over signs",
      .state = [](const OptimizerOptions&) -> std::vector<std::string> { return {"velocity", "age"}; },
      .update =
          [](const ParameterUpdate& of, const OptimizerOptions& options) {
            for (std::size_t i = 0; i < of.weights.size(); ++i) {
              const float sign = of.gradient[i] > 0 ? 1.0f : -1.0f;
              of.state[0][i] = static_cast<float>(options.momentum) * of.state[0][i] + sign;
              of.state[1][i] += 1;
              of.weights[i] -= static_cast<float>(of.rate) * of.state[0][i];
            }
          }};
  const Graph graph = graph_of<small_run::Tiny>();
  Workers workers(1);
  OptimizerOptions options;
  options.kind = "signs";
  options.momentum = 0.5;
  CHECK_THROWS_WITH_AS(Optimizer(graph, options), doctest::Contains("got \"signs\""), UsageError);
  const OptimizerKinds kinds{mine};
  Optimizer optimizer(graph, options, {}, kinds);
  std::vector<Tensor> parameters = initialise(graph, 1);
  const std::vector<Tensor> before = parameters;
  std::vector<Tensor> ones = parameters;
  for (Tensor& tensor : ones) tensor.values.assign(tensor.values.size(), 1.0f);
  optimizer.update(parameters, ones, 0.125, 0, workers);
  std::vector<OptimizerState> kept = optimizer.state();
  std::swap(kept[0], kept[1]);  // as a file has them, in the order of their names
  Optimizer again(graph, options, {}, kinds);
  again.restore(kept);
  again.update(parameters, ones, 0.125, 1, workers);
  REQUIRE(graph.parameters[0].trainable);
  CHECK(parameters[0].values[0] == doctest::Approx(before[0].values[0] - 0.125f - 0.125f * 1.5f));
  CHECK(again.state()[0].name == "velocity");
  CHECK(again.state()[1].values[0][0] == 2);

  OptimizerKind wrong = mine;
  wrong.name = "wrong";
  wrong.state = [](const OptimizerOptions&) -> std::vector<std::string> { return {"a", "a"}; };
  options.kind = "wrong";
  CHECK_THROWS_WITH_AS(Optimizer(graph, options, {}, {wrong}), doctest::Contains("names that differ"), UsageError);
  wrong.state = [](const OptimizerOptions&) -> std::vector<std::string> { return {"a/b"}; };
  CHECK_THROWS_WITH_AS(Optimizer(graph, options, {}, {wrong}), doctest::Contains("no slash"), UsageError);
}

}  // namespace optimizer_test
