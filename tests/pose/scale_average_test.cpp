// ScaleAverage against interpolation written as a sum over all cells.
#include <posemachine/core/error.hpp>
#include <posemachine/core/map.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/pose/scale_average.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace scale_average_test {

using namespace posemachine;

namespace {

Tensor random_maps(int channels, int height, int width, std::uint64_t seed) {
  Tensor maps({channels, height, width});
  RandomStream stream(seed, Purpose::test);
  for (float& value : maps.values) value = static_cast<float>(stream.uniform(-1, 1));
  return maps;
}

// Every cell weighs 1 - its distance along each axis; beyond the outermost centres theirs is the value.
double value_at(const MapView<const float>& maps, int c, double y, double x) {
  y = std::clamp(y, 0.0, maps.h - 1.0);
  x = std::clamp(x, 0.0, maps.w - 1.0);
  double sum = 0;
  for (int row = 0; row < maps.h; ++row) {
    for (int column = 0; column < maps.w; ++column) {
      sum += std::max(0.0, 1 - std::abs(row - y)) * std::max(0.0, 1 - std::abs(column - x)) *
             double(maps.at(0, c, row, column));
    }
  }
  return sum;
}

double naive_average(const std::vector<Tensor>& maps, const std::vector<double>& scales, int c, int y, int x) {
  double sum = 0;
  int count = 0;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const MapView<const float> view = view_of(maps[i]);
    const double middle_y = (view.h - 1) / 2.0, middle_x = (view.w - 1) / 2.0;
    const double at_y = (y - middle_y) * scales[i] + middle_y, at_x = (x - middle_x) * scales[i] + middle_x;
    if (at_y < -0.5 || at_y > view.h - 0.5 || at_x < -0.5 || at_x > view.w - 0.5) continue;
    sum += value_at(view, c, at_y, at_x);
    ++count;
  }
  return count > 0 ? sum / count : 0;
}

}  // namespace

TEST_CASE("ScaleAverage: every cell is the mean over the scales that show it, as a naive sum has it") {
  struct Case {
    int channels, height, width;
    std::vector<double> scales;
  };
  for (const Case& each : {Case{3, 11, 7, {0.7, 1, 1.3}}, Case{1, 1, 1, {1, 3}}, Case{2, 4, 5, {0.5, 2}},
                           Case{2, 6, 6, {2.5}}, Case{1, 2, 9, {0.1, 0.9, 1.1, 10}}}) {
    ScaleAverage average;
    std::vector<Tensor> maps;
    for (std::size_t i = 0; i < each.scales.size(); ++i) {
      maps.push_back(random_maps(each.channels, each.height, each.width, i));
      average.add(view_of(maps.back()), each.scales[i]);
    }
    const Tensor mean = average.take();
    REQUIRE(mean.shape == Shape{each.channels, each.height, each.width});
    // Values are at most 1; a sample rounds 6 times, the sum once per scale.
    const double tolerance = double(6 + each.scales.size()) * double(std::numeric_limits<float>::epsilon());
    for (int c = 0; c < each.channels; ++c) {
      for (int y = 0; y < each.height; ++y) {
        for (int x = 0; x < each.width; ++x) {
          const double expected = naive_average(maps, each.scales, c, y, x);
          CHECK(std::abs(double(view_of(mean).at(0, c, y, x)) - expected) <= tolerance);
        }
      }
    }
  }
}

TEST_CASE("ScaleAverage: scale 1 alone is the map itself, and an average begins anew after it is taken") {
  ScaleAverage average;
  for (const std::uint64_t seed : {std::uint64_t{1}, std::uint64_t{2}}) {
    const Tensor maps = random_maps(4, 5, 3, seed);
    average.add(view_of(maps), 1);
    CHECK(average.take() == maps);
  }
}

TEST_CASE("ScaleAverage: mirrored maps have the mirrored average") {
  const Tensor maps = random_maps(1, 5, 8, 3);
  Tensor mirrored = maps;
  for (std::size_t row = 0; row < 5; ++row) {
    std::reverse(mirrored.values.begin() + std::ptrdiff_t(8 * row),
                 mirrored.values.begin() + std::ptrdiff_t(8 * row + 8));
  }
  const auto average_of = [](const Tensor& all) {
    ScaleAverage average;
    for (const double scale : {0.75, 1.0, 1.25}) average.add(view_of(all), scale);
    return average.take();
  };
  const Tensor one = average_of(maps), other = average_of(mirrored);
  for (int y = 0; y < 5; ++y) {
    for (int x = 0; x < 8; ++x) {
      CHECK(view_of(one).at(0, 0, y, x) == doctest::Approx(view_of(other).at(0, 0, y, 7 - x)).epsilon(1e-6));
    }
  }
}

TEST_CASE("ScaleAverage: a value that is not finite stays one") {
  Tensor maps({1, 3, 3}, 0.5f);
  maps.values[4] = std::numeric_limits<float>::quiet_NaN();
  ScaleAverage average;
  average.add(view_of(maps), 1);
  average.add(view_of(maps), 1.5);
  CHECK(!std::isfinite(average.take().values[4]));
}

TEST_CASE("ScaleAverage: scales that are none and maps of another shape are refused") {
  ScaleAverage average;
  const Tensor maps({2, 3, 4});
  for (const double scale :
       {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_WITH_AS(average.add(view_of(maps), scale), doctest::Contains("a scale above 0"), UsageError);
  }
  average.add(view_of(maps), 1);
  const Tensor other({2, 4, 3});
  CHECK_THROWS_WITH_AS(average.add(view_of(other), 1),
                       "ScaleAverage: expected maps of (2, 3, 4), as of the first scale, got (2, 4, 3)", UsageError);
}

}  // namespace scale_average_test
