// First values: their spread, and what they depend on.
#include <posemachine/compose.hpp>
#include <posemachine/model/initialise.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <vector>

namespace initialise_test {

using namespace posemachine;

namespace {

// 3 x 3 x 20 = 180 inputs a value of 100 channels: 18,000 draws for he_normal, then 100 x 64 for lecun_normal.
struct Net : Network<Input<"image", 20>, Conv<100, 3>, BatchNorm<>,
                     Conv<64, 1, ConvolutionOptions{.init = Init::lecun_normal}>, Output<"maps">> {};

struct Spread {
  double mean = 0;
  double variance = 0;
};

Spread spread(const std::vector<float>& values) {
  Spread result;
  for (const float value : values) result.mean += value;
  result.mean /= static_cast<double>(values.size());
  for (const float value : values) result.variance += (value - result.mean) * (value - result.mean);
  result.variance /= static_cast<double>(values.size());
  return result;
}

// Five standard errors: of a mean of n draws sigma / sqrt(n), of a normal's variance sigma^2 sqrt(2 / n).
void check_normal(const std::vector<float>& values, double variance) {
  const Spread found = spread(values);
  const double count = static_cast<double>(values.size());
  CHECK(std::abs(found.mean) < 5 * std::sqrt(variance / count));
  CHECK(std::abs(found.variance - variance) < 5 * variance * std::sqrt(2 / count));
}

}  // namespace

TEST_CASE("initialise: weights have variance 2 / fan-in before ReLU and 1 / fan-in where lecun_normal is asked for") {
  const std::vector<Tensor> tensors = initialise(graph_of<Net>(), 3);
  REQUIRE(tensors.size() == 8);
  CHECK(tensors[0].shape == Shape{100, 20, 3, 3});
  check_normal(tensors[0].values, 2.0 / 180);
  CHECK(tensors[6].shape == Shape{64, 100, 1, 1});
  check_normal(tensors[6].values, 1.0 / 100);
}

TEST_CASE("initialise: weights before batch norm lie within 1 / sqrt(fan-in), a head's deviation is 0.001") {
  struct Heads : Network<Input<"image", 20>, ConvReLU<100, 3, Norm::batch>,
                         Conv<64, 1, ConvolutionOptions{.init = Init::near_zero}>, Output<"maps">> {};
  const std::vector<Tensor> tensors = initialise(graph_of<Heads>(), 3);
  const Spread weights = spread(tensors[0].values);
  const double bound = 1 / std::sqrt(180.0);
  // Five standard errors of a uniform's variance, bound^2 / 3 sqrt(4 / (5 n)).
  CHECK(std::abs(weights.variance - bound * bound / 3) < 5 * bound * bound / 3 * std::sqrt(0.8 / 18000));
  for (const float value : tensors[0].values) CHECK(std::abs(double{value}) <= bound * 1.000001);
  check_normal(tensors[5].values, 1e-6);
}

TEST_CASE("initialise: bias, shift and mean are 0, scale and variance 1") {
  const std::vector<Tensor> tensors = initialise(graph_of<Net>(), 3);
  CHECK(tensors[1].values == std::vector<float>(100, 0.0f));
  CHECK(tensors[2].values == std::vector<float>(100, 1.0f));
  CHECK(tensors[3].values == std::vector<float>(100, 0.0f));
  CHECK(tensors[4].values == std::vector<float>(100, 0.0f));
  CHECK(tensors[5].values == std::vector<float>(100, 1.0f));
  CHECK(tensors[7].values == std::vector<float>(64, 0.0f));
}

TEST_CASE("initialise: a parameter's values depend on the seed and on its position, not on what comes after it") {
  struct Longer : Network<Input<"image", 20>, Conv<100, 3>, BatchNorm<>, Conv<64, 1>, Conv<64, 1>, Output<"maps">> {};
  const std::vector<Tensor> tensors = initialise(graph_of<Longer>(), 3);
  CHECK(tensors[0].values == initialise(graph_of<Net>(), 3)[0].values);
  CHECK(tensors[0].values != initialise(graph_of<Net>(), 4)[0].values);
  CHECK(std::vector<float>(tensors[6].values.begin(), tensors[6].values.begin() + 64) !=
        std::vector<float>(tensors[8].values.begin(), tensors[8].values.begin() + 64));
}

}  // namespace initialise_test
