// The losses of heatmaps against naive loops, and their gradients against central differences.
#include <posemachine/core/error.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/training/losses/losses.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace loss_test {

using namespace posemachine;

namespace {

constexpr std::size_t images = 3, channels = 5, cells = 7;
constexpr int batch = 8;  // the slice is part of a larger one

struct Sample {
  std::vector<float> maps, targets, weights, gradient;

  Sample()
      : maps(images * channels * cells),
        targets(maps.size()),
        weights(images * channels),
        gradient(maps.size(), 99.0f) {
    RandomStream stream(4, Purpose::test);
    for (float& value : maps) value = static_cast<float>(stream.uniform(-1, 2));
    for (float& value : targets) value = static_cast<float>(stream.uniform());
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = i % 4 == 1 ? 0.0f : (i % 4 == 2 ? 0.5f : 1.0f);
  }
  LossInput input() const { return {maps, targets, weights, cells, batch}; }
  double loss() { return heatmap_loss(input(), gradient); }
};

double naive(const Sample& s) {
  double sum = 0;
  for (std::size_t n = 0; n < images; ++n) {
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t k = 0; k < cells; ++k) {
        const std::size_t i = (n * channels + c) * cells + k;
        const double d = double{s.maps[i]} - double{s.targets[i]};
        sum += double{s.weights[n * channels + c]} * d * d;
      }
    }
  }
  return sum / (2.0 * batch);
}

}  // namespace

TEST_CASE("heatmap_loss: the weighted sum of squares over twice the batch") {
  Sample sample;
  CHECK(sample.loss() == doctest::Approx(naive(sample)).epsilon(1e-6));  // differences are rounded to float: 6e-8
  sample.maps = sample.targets;
  CHECK(sample.loss() == 0);
}

TEST_CASE("heatmap_loss: the gradient is that of central differences, and exactly 0 where a map says nothing") {
  Sample sample;
  sample.loss();
  const std::vector<float> gradient = sample.gradient;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const float at = sample.maps[i];
    const float step = 0.125f;  // the loss is quadratic: any step is exact
    sample.maps[i] = at + step;
    const double above = naive(sample);
    sample.maps[i] = at - step;
    const double below = naive(sample);
    sample.maps[i] = at;
    CHECK(double{gradient[i]} == doctest::Approx((above - below) / (2 * double{step})).epsilon(1e-5));
    if (sample.weights[i / cells] == 0.0f) CHECK(gradient[i] == 0.0f);
  }
}

TEST_CASE("heatmap_loss: half a map's weight is half its gradient and half its part of the loss, to the last bit") {
  Sample whole, half;
  const double loss = whole.loss();
  for (std::size_t map = 0; map < whole.weights.size(); ++map) {
    half.weights = whole.weights;
    half.weights[map] /= 2;
    const double less = half.loss();
    for (std::size_t i = 0; i < half.gradient.size(); ++i) {
      const float expected = i / cells == map ? whole.gradient[i] / 2 : whole.gradient[i];
      CHECK(half.gradient[i] == expected);
    }
    Sample alone;
    for (std::size_t other = 0; other < alone.weights.size(); ++other) {
      if (other != map) alone.weights[other] = 0;
    }
    CHECK(less == doctest::Approx(loss - alone.loss() / 2).epsilon(1e-14));  // of sums in another order
  }
}

TEST_CASE("heatmap_loss: slices of a batch add up to the batch") {
  Sample whole;
  const double loss = whole.loss();
  Sample part;
  double sum = 0;
  for (std::size_t n = 0; n < images; ++n) {
    const std::size_t size = channels * cells;
    const std::span<const float> maps(part.maps), targets(part.targets), weights(part.weights);
    sum += heatmap_loss({maps.subspan(n * size, size), targets.subspan(n * size, size),
                         weights.subspan(n * channels, channels), cells, batch},
                        std::span(part.gradient).subspan(n * size, size));
  }
  CHECK(sum == doctest::Approx(loss).epsilon(1e-12));
  CHECK(part.gradient == whole.gradient);
}

TEST_CASE("heatmap_loss: a map that is not finite shows in the loss or, masked, in the gradient") {
  Sample sample;
  sample.maps[0] = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(sample.loss()));
  Sample masked;
  masked.maps[cells] = std::numeric_limits<float>::infinity();  // map 1 has weight 0
  CHECK(std::isfinite(masked.loss()));
  CHECK_FALSE(std::isfinite(masked.gradient[cells]));
}

TEST_CASE("heatmap_loss: shapes that do not fit are refused") {
  Sample sample;
  sample.targets.pop_back();
  CHECK_THROWS_WITH_AS(sample.loss(), doctest::Contains("105"), UsageError);
}

namespace {

// A map of weight 1 is given an empty target, as a joint has that is outside the picture.
struct CrossSample : Sample {
  static constexpr std::size_t empty = 3;

  CrossSample() {
    for (std::size_t i = empty * cells; i < (empty + 1) * cells; ++i) targets[i] = 0;
  }
  double loss() { return heatmap_cross_entropy(input(), gradient); }
};

// As it is written: minus the sum of t log(exp(map) / the sum of exp(map)).
double naive_cross_entropy(const Sample& s, const std::vector<double>& maps) {
  double sum = 0;
  for (std::size_t map = 0; map < images * channels; ++map) {
    double target_sum = 0, power_sum = 0;
    for (std::size_t i = map * cells; i < (map + 1) * cells; ++i) {
      target_sum += double{s.targets[i]};
      power_sum += std::exp(maps[i]);
    }
    if (target_sum == 0) continue;
    for (std::size_t i = map * cells; i < (map + 1) * cells; ++i) {
      sum -= double{s.weights[map]} * double{s.targets[i]} / target_sum * std::log(std::exp(maps[i]) / power_sum);
    }
  }
  return sum / batch;
}

}  // namespace

TEST_CASE(
    "heatmap_cross_entropy: the weighted cross-entropy of shares over cells; empty targets and weights say nothing") {
  CrossSample sample;
  const std::vector<double> maps(sample.maps.begin(), sample.maps.end());
  CHECK(sample.loss() == doctest::Approx(naive_cross_entropy(sample, maps)).epsilon(1e-6));
  for (std::size_t i = 0; i < sample.gradient.size(); ++i) {
    if (i / cells == CrossSample::empty || sample.weights[i / cells] == 0.0f) CHECK(sample.gradient[i] == 0.0f);
  }
}

TEST_CASE("heatmap_cross_entropy: the gradient is that of central differences") {
  CrossSample sample;
  sample.loss();
  std::vector<double> maps(sample.maps.begin(), sample.maps.end());
  for (std::size_t i = 0; i < maps.size(); ++i) {
    constexpr double step = 1e-4;  // third derivatives are below 1: an error of 2e-9
    const double at = maps[i];
    maps[i] = at + step;
    const double above = naive_cross_entropy(sample, maps);
    maps[i] = at - step;
    const double below = naive_cross_entropy(sample, maps);
    maps[i] = at;
    CHECK(std::abs(double{sample.gradient[i]} - (above - below) / (2 * step)) < 1e-8);
  }
}

TEST_CASE("heatmap_cross_entropy: a weight of 0.5 halves the gradient, uniform maps cost the logarithm of the cells") {
  CrossSample sample;
  sample.weights.assign(sample.weights.size(), 1.0f);
  sample.loss();
  const std::vector<float> whole = sample.gradient;
  sample.weights.assign(sample.weights.size(), 0.5f);
  sample.loss();
  for (std::size_t i = 0; i < whole.size(); ++i) CHECK(sample.gradient[i] == 0.5f * whole[i]);

  sample.weights.assign(sample.weights.size(), 1.0f);
  sample.maps.assign(sample.maps.size(), 3.0f);
  const double maps_with_targets = images * channels - 1;
  CHECK(sample.loss() == doctest::Approx(maps_with_targets * std::log(double{cells}) / batch));
}

TEST_CASE("heatmap_cross_entropy: logits far apart neither overflow nor lose the loss") {
  CrossSample sample;
  for (std::size_t i = 0; i < sample.maps.size(); ++i) sample.maps[i] = i % 2 == 0 ? 1e4f : -1e4f;
  CHECK(std::isfinite(sample.loss()));
  for (const float value : sample.gradient) CHECK(std::isfinite(value));
  sample.maps[0] = std::numeric_limits<float>::quiet_NaN();
  CHECK_FALSE(std::isfinite(sample.loss()));
  sample.targets.pop_back();
  CHECK_THROWS_WITH_AS(sample.loss(), doctest::Contains("105"), UsageError);
}

namespace {

// torch.nn.functional.smooth_l1_loss, each cell, by its documentation: x^2 / (2 beta) where |x| < beta, |x| - beta / 2
// elsewhere. Huber's loss is beta times this.
double smooth_l1(double difference, double beta) {
  const double size = std::abs(difference);
  return size < beta ? size * size / (2 * beta) : size - beta / 2;
}

double naive_huber(const Sample& s, const std::vector<double>& maps, double delta) {
  double sum = 0;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    sum += double{s.weights[i / cells]} * delta * smooth_l1(maps[i] - double{s.targets[i]}, delta);
  }
  return sum / batch;
}

}  // namespace

TEST_CASE("heatmap_huber: the loss is delta times PyTorch's smooth L1, the gradient that of central differences") {
  for (const float delta : {0.25f, 1.0f, 0.125f}) {
    CAPTURE(delta);
    Sample sample;
    std::vector<double> maps(sample.maps.begin(), sample.maps.end());
    const double beta = double{delta};
    CHECK(heatmap_huber(sample.input(), sample.gradient, delta) ==
          doctest::Approx(naive_huber(sample, maps, beta)).epsilon(1e-6));
    int inside = 0, outside = 0;
    for (std::size_t i = 0; i < maps.size(); ++i) {
      constexpr double step = 1e-6;
      const double at = maps[i];
      const double kink = std::abs(std::abs(at - double{sample.targets[i]}) - beta);
      if (kink < 2 * step) continue;  // the slope changes here
      ++(std::abs(at - double{sample.targets[i]}) < beta ? inside : outside);
      maps[i] = at + step;
      const double above = naive_huber(sample, maps, beta);
      maps[i] = at - step;
      const double below = naive_huber(sample, maps, beta);
      maps[i] = at;
      CHECK(std::abs(double{sample.gradient[i]} - (above - below) / (2 * step)) < 1e-7);
    }
    CHECK(inside > 0);
    CHECK(outside > 0);
  }
}

TEST_CASE("heatmap_huber: beyond all differences it is heatmap_loss to the last bit of the gradient; NaN shows") {
  Sample squares, huber;
  const double loss = squares.loss();
  CHECK(heatmap_huber(huber.input(), huber.gradient, 100) == doctest::Approx(loss).epsilon(1e-12));
  CHECK(huber.gradient == squares.gradient);
  huber.maps[0] = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(heatmap_huber(huber.input(), huber.gradient, 1)));
  CHECK(std::isnan(huber.gradient[0]));
  huber.targets.pop_back();
  CHECK_THROWS_WITH_AS(heatmap_huber(huber.input(), huber.gradient, 1), doctest::Contains("105"), UsageError);
}

TEST_CASE("losses: every row writes the whole gradient, and the parts of a batch add up to it") {
  const LossKinds kinds;
  for (const LossKind& kind : kinds.all()) {
    CAPTURE(std::string(kind.name));
    Sample whole, part;
    const double loss = kind.compute(whole.input(), whole.gradient);
    CHECK(std::count(whole.gradient.begin(), whole.gradient.end(), 99.0f) == 0);
    double sum = 0;
    for (std::size_t n = 0; n < images; ++n) {
      const std::size_t size = channels * cells;
      const std::span<const float> maps(part.maps), targets(part.targets), weights(part.weights);
      sum += kind.compute({maps.subspan(n * size, size), targets.subspan(n * size, size),
                           weights.subspan(n * channels, channels), cells, batch},
                          std::span(part.gradient).subspan(n * size, size));
    }
    CHECK(sum == doctest::Approx(loss).epsilon(1e-12));
    CHECK(part.gradient == whole.gradient);
  }
}

TEST_CASE("LossKinds: a row of one's own stands beside the library's; a wrong one is refused") {
  constexpr LossKind mine{
      .name = "mine", .does = "nothing", .compute = [](const LossInput&, std::span<float>) { return 0.0; }};
  CHECK(LossKinds{mine}.names().size() == LossKinds().names().size() + 1);
  CHECK(LossKinds{mine}.get("mine", "loss").does == "nothing");
  CHECK_THROWS_WITH_AS(LossKinds{LossKind{.name = "none"}}, doctest::Contains("a function compute"), UsageError);
  CHECK_THROWS_WITH_AS(LossKinds{huber_loss}, doctest::Contains("a name of its own"), UsageError);
}

}  // namespace loss_test
