// Affine sampling of photographs and the square crops it is used with.
#include <posemachine/core/random.hpp>
#include <posemachine/data/crop.hpp>
#include <posemachine/data/warp.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace warp_test {

namespace pm = posemachine;

namespace {

const pm::Normalisation plain{{0, 0, 0}, {1, 1, 1}};

/// Noise, the same every time.
pm::Image noise(int width, int height) {
  pm::Image image(width, height);
  std::uint32_t state = 5;
  for (auto& value : image.pixels) value = static_cast<std::uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
  return image;
}

std::vector<float> warped(const pm::Image& image, const pm::Affine& m, pm::Size input,
                          const pm::Normalisation& normalisation = plain, bool bgr = false,
                          const pm::Photometric& photometric = {}) {
  std::vector<float> out(std::size_t(3 * input.height * input.width), 1e9f);
  pm::warp(image, m, input, normalisation, bgr, photometric, out.data());
  return out;
}

float value(const std::vector<float>& out, pm::Size input, int c, int y, int x) {
  return out[std::size_t((c * input.height + y) * input.width + x)];
}

/// Bilinear sampling in double precision, `fill` beyond the image.
double bilinear(const pm::Image& image, int c, double x, double y, double fill) {
  const auto at = [&](int ix, int iy) {
    const bool inside = ix >= 0 && iy >= 0 && ix < image.width && iy < image.height;
    return inside ? double(image.at(ix, iy)[c]) : fill;
  };
  const int ix = int(std::floor(x));
  const int iy = int(std::floor(y));
  const double u = x - ix;
  const double v = y - iy;
  return (1 - v) * ((1 - u) * at(ix, iy) + u * at(ix + 1, iy)) +
         v * ((1 - u) * at(ix, iy + 1) + u * at(ix + 1, iy + 1));
}

}  // namespace

TEST_CASE("warp: the identity gives the pixels, normalised, in planes") {
  const pm::Image image = noise(13, 7);
  const pm::Normalisation normalisation{{10, 20, 30}, {0.5, 0.25, 2}};
  const pm::Size input{7, 13};
  const auto out = warped(image, {}, input, normalisation);
  const auto bgr = warped(image, {}, input, normalisation, true);
  for (int y = 0; y < 7; ++y) {
    for (int x = 0; x < 13; ++x) {
      for (int c = 0; c < 3; ++c) {
        const std::size_t i = std::size_t(c);
        // The last row and column reach beyond the image by a weight of 0.
        const double mean = normalisation.mean[i];
        const double scale = normalisation.scale[i];
        CHECK(value(out, input, c, y, x) == doctest::Approx((image.at(x, y)[c] - mean) * scale));
        CHECK(value(bgr, input, c, y, x) == doctest::Approx((image.at(x, y)[2 - c] - mean) * scale));
      }
    }
  }
}

TEST_CASE("warp: rotated, enlarged sampling equals bilinear sampling in double precision, edges included") {
  const pm::Image image = noise(19, 23);
  const pm::Size input{31, 29};
  const double angle = 0.6;
  const double cosine = std::cos(angle) / 1.3;  // enlarged 1.3 times
  const double sine = std::sin(angle) / 1.3;
  const pm::Affine m{cosine, -sine, 3.7, sine, cosine, -4.2};
  const pm::Normalisation normalisation{{128, 100, 90}, {1, 1, 1}};
  const auto out = warped(image, m, input, normalisation);
  for (int y = 0; y < input.height; ++y) {
    for (int x = 0; x < input.width; ++x) {
      const pm::Point p = pm::apply(m, {double(x), double(y)});
      for (int c = 0; c < 3; ++c) {
        const double mean = normalisation.mean[std::size_t(c)];
        // Weights are cut to 1/256 in x and y: at most 255/256 of a level each way.
        CHECK(std::abs(value(out, input, c, y, x) - (bilinear(image, c, p.x, p.y, mean) - mean)) < 2.0);
      }
    }
  }
}

TEST_CASE("warp: inside and across the edges the values are those of sums of integers, to the bit") {
  pm::RandomStream stream(8, pm::Purpose::test);
  const pm::Size input{9, 11};
  int inside = 0;
  for (int i = 0; i < 300; ++i) {
    const int width = 1 + static_cast<int>(stream.below(i % 2 ? 6 : 60));
    const int height = 1 + static_cast<int>(stream.below(i % 2 ? 6 : 60));
    pm::Image image = noise(width, height);
    if (i % 5 == 0) std::fill(image.pixels.begin(), image.pixels.end(), std::uint8_t{255});  // the largest sums
    const double step = stream.uniform(0.2, 3.9), angle = stream.uniform(-4, 4);
    const double c = step * std::cos(angle), s = step * std::sin(angle);
    const pm::Point middle{stream.uniform(0, width), stream.uniform(0, height)};
    const pm::Affine m{c, -s, middle.x - 5 * c + 4 * s, s, c, middle.y - 5 * s - 4 * c};
    const int n = static_cast<int>(std::ceil(std::hypot(m.a, m.d) - 1e-6));
    const auto fixed = [](double number) { return static_cast<std::int64_t>(std::llround(number * 0x1p32)); };
    const auto out = warped(image, m, input);
    for (int y = 0; y < input.height; ++y) {
      std::int64_t x_at = fixed(m.b * y + m.c), y_at = fixed(m.e * y + m.f);
      for (int x = 0; x < input.width; ++x, x_at += fixed(m.a), y_at += fixed(m.d)) {
        std::int64_t sums[3]{}, weights = 0;
        for (int k = 0; k < n * n; ++k) {
          const double u = (k % n + 0.5) / n - 0.5, v = (k / n + 0.5) / n - 0.5;
          const std::int64_t px = x_at + fixed(m.a * u + m.b * v), py = y_at + fixed(m.d * u + m.e * v);
          for (int corner = 0; corner < 4; ++corner) {
            const std::int64_t nx = (px >> 32) + corner % 2, ny = (py >> 32) + corner / 2;
            if (nx < 0 || ny < 0 || nx >= width || ny >= height) continue;
            const std::int64_t across = px >> 24 & 255, down = py >> 24 & 255;
            const std::int64_t weight = (corner % 2 ? across : 256 - across) * (corner / 2 ? down : 256 - down);
            for (int channel = 0; channel < 3; ++channel) {
              sums[channel] += weight * image.at(static_cast<int>(nx), static_cast<int>(ny))[channel];
            }
            weights += weight;
          }
        }
        inside += weights == 65'536 * n * n;
        const float covered = float(weights) / float(65'536 * n * n);
        const float per_weight = weights ? 1.0f / float(weights) : 0.0f;
        for (int channel = 0; channel < 3; ++channel) {
          const float expected = covered * std::clamp(float(sums[channel]) * per_weight, 0.0f, 255.0f);
          if (value(out, input, channel, y, x) == expected) continue;
          FAIL_CHECK(width << " x " << height << ", " << x << ", " << y << ": " << value(out, input, channel, y, x)
                           << " instead of " << expected);
        }
      }
    }
  }
  CHECK(inside > 5000);
  CHECK(inside < 300 * 99 - 5000);
}

TEST_CASE("warp: beyond the image lies the mean, which is 0, whatever the change of colours") {
  const auto out = warped(noise(8, 8), {1, 0, 100, 0, 1, -50}, {5, 5}, {{128, 120, 110}, {1, 1, 1}}, false,
                          {{2, 2, 2}, {40, 40, 40}});
  CHECK(std::all_of(out.begin(), out.end(), [](float v) { return v == 0; }));
}

TEST_CASE("warp: shrinking averages, so that a checkerboard becomes grey and nothing is lost") {
  pm::Image image(96, 96);
  for (int y = 0; y < 96; ++y) {
    for (int x = 0; x < 96; ++x) {
      for (int c = 0; c < 3; ++c) image.at(x, y)[c] = (x + y) % 2 ? 200 : 100;
    }
  }
  for (const int side : {48, 24, 16, 12, 8, 6, 3, 1}) {
    CAPTURE(side);
    const pm::Size input{side, side};
    const auto out = warped(image, pm::image_from_input({0, 0, 96, 96}, input), input);
    // Even factors only: an odd cell holds one pixel more of one kind.
    for (const float v : out) CHECK(v == doctest::Approx(150).epsilon(0.005));
  }
}

TEST_CASE("warp: shrinking by a whole factor equals the average of the cells") {
  const pm::Image image = noise(40, 40);
  for (const int factor : {2, 4, 8, 20}) {
    CAPTURE(factor);
    const int side = 40 / factor;
    const auto out = warped(image, pm::image_from_input({0, 0, 40, 40}, {side, side}), {side, side});
    double worst = 0;
    for (int y = 0; y < side; ++y) {
      for (int x = 0; x < side; ++x) {
        double sum = 0;
        for (int v = 0; v < factor; ++v) {
          for (int u = 0; u < factor; ++u) sum += image.at(x * factor + u, y * factor + v)[1];
        }
        worst = std::max(worst, std::abs(sum / (factor * factor) - value(out, {side, side}, 1, y, x)));
      }
    }
    CHECK(worst < 1.0);  // a whole number of samples a pixel, rounded to 8 bits at most twice
  }
}

TEST_CASE("warp: a change of colours is clamped to what a pixel can hold") {
  const pm::Image image(4, 4, {200, 100, 10});
  const auto out = warped(image, {}, {2, 2}, plain, false, {{1.5, 0.5, 1}, {0, 7, -20}});
  CHECK(out[0] == 255);
  CHECK(out[4] == 57);
  CHECK(out[8] == 0);
}

TEST_CASE("warp: 1 x 1 and very large shrinking are fine, empty and infinite are refused") {
  const pm::Image dot(1, 1, {50, 60, 70});
  CHECK(warped(dot, {}, {1, 1})[1] == 60);
  CHECK(warped(dot, {1e6, 0, 0, 0, 1e6, 0}, {2, 2}).size() == 12);
  const pm::Affine thin = pm::image_from_input({0, -149, 300, 300}, {1, 1});
  CHECK(std::abs(warped(pm::Image(300, 2, {9, 9, 9}), thin, {1, 1})[0]) <= 9);
  CHECK_THROWS_AS(warped(pm::Image{}, {}, {1, 1}), pm::UsageError);
  CHECK_THROWS_AS(warped(dot, {}, {0, 1}), pm::UsageError);
  CHECK_THROWS_AS(warped(dot, {std::numeric_limits<double>::quiet_NaN()}, {1, 1}), pm::UsageError);
  CHECK_THROWS_AS(warped(dot, {1, 0, 1e10}, {1, 1}), pm::UsageError);
}

TEST_CASE("crop_square: the whole image's square has its centre and its larger side") {
  const pm::CropRule rule{.box_context = 1.5, .image_scale = 1.25};
  CHECK(pm::crop_square(rule, 80, 40) == pm::Box{-10, -30, 100, 100});
  CHECK(pm::crop_square(rule, pm::Box{10, 20, 30, 60}) == pm::Box{-20, 5, 90, 90});
}

TEST_CASE("image_from_input: pixel centres map to pixel centres, and the inverse maps back") {
  const pm::Affine same = pm::image_from_input({0, 0, 16, 16}, {16, 16});
  CHECK(pm::apply(same, {5, 9}) == pm::Point{5, 9});
  const pm::Affine half = pm::image_from_input({0, 0, 32, 32}, {16, 16});
  CHECK(pm::apply(half, {0, 0}) == pm::Point{0.5, 0.5});  // between the first two pixels
  CHECK(pm::apply(half, {15, 15}) == pm::Point{30.5, 30.5});
  const pm::Affine wide = pm::image_from_input({0, 0, 32, 32}, {16, 24});  // the square in the middle, 4 more each side
  CHECK(pm::apply(wide, {4, 0}) == pm::Point{0.5, 0.5});
  CHECK(pm::apply(wide, {19, 15}) == pm::Point{30.5, 30.5});
  const pm::Affine m = pm::image_from_input({-7, 3, 50, 50}, {17, 17});
  const pm::Point back = pm::apply(pm::inverse(m), pm::apply(m, {3, 11}));
  CHECK(back.x == doctest::Approx(3));
  CHECK(back.y == doctest::Approx(11));
}

}  // namespace warp_test
