// What steers a run: the length of gradients, the average of weights, and the watch over epochs.
#include "small_run.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/base/parallel.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/model/initialise.hpp>
#include <posemachine/training/gradient_norm.hpp>
#include <posemachine/training/plateau_monitor.hpp>
#include <posemachine/training/weight_average.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace control_test {

using namespace posemachine;

namespace {

std::vector<Tensor> numbers(std::uint64_t seed) {
  std::vector<Tensor> tensors{Tensor({3, 5}), Tensor({7}), Tensor({2, 1, 4, 4})};
  RandomStream stream(seed, Purpose::test);
  for (Tensor& tensor : tensors) {
    for (float& value : tensor.values) value = static_cast<float>(stream.uniform(-2, 2));
  }
  return tensors;
}

const std::vector<bool> all(3, true);

double length(const std::vector<Tensor>& tensors) {
  double sum = 0;
  for (const Tensor& tensor : tensors) {
    for (const float value : tensor.values) sum += std::pow(double{value}, 2);
  }
  return std::sqrt(sum);
}

}  // namespace

TEST_CASE("gradient_norm: the length over all tensors, the same for any number of workers") {
  const std::vector<Tensor> gradients = numbers(1);
  Workers one(1), three(3);
  const double norm = gradient_norm(gradients, all, one);
  CHECK(norm == doctest::Approx(length(gradients)).epsilon(1e-12));
  CHECK(gradient_norm(gradients, all, three) == norm);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<Tensor> broken = gradients;
    broken[1].values[3] = bad;
    CHECK_FALSE(std::isfinite(gradient_norm(broken, all, one)));
  }
  std::vector<Tensor> partly = gradients;
  partly[1].values[3] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<Tensor> others{gradients[0], gradients[2]};
  CHECK(gradient_norm(partly, {true, false, true}, one) == doctest::Approx(length(others)).epsilon(1e-12));
  std::vector<Tensor> large = gradients;  // whose squares no float could hold
  large[2].values[0] = 1e30f;
  CHECK(gradient_norm(large, all, one) == doctest::Approx(1e30));
}

TEST_CASE("clip_gradients: longer ones keep their direction, others every bit") {
  Workers workers(2);
  const std::vector<Tensor> gradients = numbers(2);
  const double norm = gradient_norm(gradients, all, workers);
  std::vector<Tensor> cut = gradients;
  clip_gradients(cut, norm, norm / 3, workers);
  CHECK(gradient_norm(cut, all, workers) == doctest::Approx(norm / 3).epsilon(1e-6));
  for (std::size_t id = 0; id < cut.size(); ++id) {
    for (std::size_t i = 0; i < cut[id].values.size(); ++i) {
      CHECK(cut[id].values[i] == doctest::Approx(gradients[id].values[i] / 3).epsilon(1e-6));
    }
  }
  std::vector<Tensor> kept = gradients;
  clip_gradients(kept, norm, norm, workers);
  for (std::size_t id = 0; id < kept.size(); ++id) CHECK(kept[id].values == gradients[id].values);
}

TEST_CASE("WeightAverage: d average + (1 - d) weights, d growing to the decay") {
  const double decay = 0.5;
  Workers workers(2);
  std::vector<Tensor> first = numbers(3);
  WeightAverage average(decay, first);
  std::vector<std::vector<double>> expected;
  for (const Tensor& tensor : first) expected.emplace_back(tensor.values.begin(), tensor.values.end());
  for (std::int64_t step = 0; step < 20; ++step) {
    const std::vector<Tensor> weights = numbers(10 + static_cast<std::uint64_t>(step));
    average.update(weights, step, workers);
    const double steps = static_cast<double>(step + 1);
    const double d = std::min(decay, (1 + steps) / (10 + steps));  // 2/11, 3/12, ... reaches 1/2 at step 7
    for (std::size_t id = 0; id < expected.size(); ++id) {
      for (std::size_t i = 0; i < expected[id].size(); ++i) {
        expected[id][i] = d * expected[id][i] + (1 - d) * double{weights[id].values[i]};
        CHECK(double{average.tensors()[id].values[i]} == doctest::Approx(expected[id][i]).epsilon(1e-5));
      }
    }
  }
  WeightAverage other(decay, first);
  other.restore(average.tensors());
  CHECK(other.tensors()[0].values == average.tensors()[0].values);
  CHECK_THROWS_WITH_AS(other.restore({}), doctest::Contains("average of weights"), ModelError);
  WeightAverage off(0, first);
  off.update(first, 0, workers);
  CHECK_FALSE(off.is_kept());
  CHECK(off.tensors().empty());
}

TEST_CASE("PlateauMonitor: the best so far, a rate lowered once a plateau, and a run that has stalled") {
  PlateauMonitor watch;
  CHECK_FALSE(has_stalled(watch, 1));  // nothing was judged
  CHECK_FALSE(lower_rate_now(watch, 1));
  CHECK(judge(watch, 1, -5));
  CHECK(judge(watch, 2, 10));
  std::vector<int> lowered;
  for (int epoch = 3; epoch <= 12; ++epoch) {
    CHECK_FALSE(judge(watch, epoch, epoch == 3 ? 10 : 9));  // as good is not better
    if (lower_rate_now(watch, 3)) lowered.push_back(epoch);
    CHECK(has_stalled(watch, 7) == (epoch >= 9));
    CHECK_FALSE(has_stalled(watch, 0));
  }
  CHECK(lowered == std::vector{5, 8, 11});
  CHECK(judge(watch, 13, 11));
  CHECK_FALSE(has_stalled(watch, 1));
  judge(watch, 15, 11);
  CHECK_FALSE(lower_rate_now(watch, 3));  // counts from the best, which came after the last lowering
  judge(watch, 16, 11);
  CHECK(lower_rate_now(watch, 3));
  const PlateauMonitor back = plateau_monitor_from_json(plateau_monitor_to_json(watch), "watch");
  CHECK(plateau_monitor_to_json(back) == plateau_monitor_to_json(watch));
  Json broken = plateau_monitor_to_json(watch);
  broken["best_epoch"] = -1;
  CHECK_THROWS_WITH_AS(plateau_monitor_from_json(broken, "watch"), doctest::Contains("watch.best_epoch"), ModelError);
}

}  // namespace control_test
