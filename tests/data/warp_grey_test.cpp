// Crops of one channel, 8 and 16 bits, against a naive loop in double precision.
#include "noise.hpp"

#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/data/augment.hpp>
#include <posemachine/data/image_kinds.hpp>
#include <posemachine/data/warp.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace warp_grey_test {

using namespace posemachine;

namespace {

// `zeros`: the share of samples that are 0 besides.
template <class Picture>
Picture random_picture(int width, int height, std::uint64_t seed, double zeros) {
  Picture image(width, height);
  RandomStream stream(seed, Purpose::test);
  constexpr std::uint64_t values = std::uint64_t{std::numeric_limits<typename Picture::Sample>::max()} + 1;
  for (auto& value : image.pixels) {
    value = static_cast<typename Picture::Sample>(stream.below(values));
    if (stream.uniform(0, 1) < zeros) value = 0;
  }
  return image;
}

// A position as warp() has it: sums of multiples of 2^-32, cut to 1/256.
double cut(double start, double step, int x, double offset) {
  const auto fixed = [](double value) { return std::llround(value * 0x1p32); };
  return std::floor(static_cast<double>(fixed(start) + x * fixed(step) + fixed(offset)) / 0x1p24) / 256;
}

// (value - mean) * scale at an input pixel, where the picture covers it; the mean beyond its edge.
template <class Picture>
double naive(const Picture& image, const Affine& m, int x, int y, const Normalisation& normalisation,
             const Photometric& photometric) {
  const int n = std::max(1, static_cast<int>(std::ceil(std::max(std::hypot(m.a, m.d), std::hypot(m.b, m.e)) - 1e-6)));
  double sum = 0, covered = 0, measured = 0;
  for (int k = 0; k < n * n; ++k) {
    const double u = (k % n + 0.5) / n - 0.5, v = (k / n + 0.5) / n - 0.5;
    const double px = cut(m.b * y + m.c, m.a, x, m.a * u + m.b * v);
    const double py = cut(m.e * y + m.f, m.d, x, m.d * u + m.e * v);
    for (int iy = 0; iy < image.height; ++iy) {
      for (int ix = 0; ix < image.width; ++ix) {
        const double weight = std::max(0.0, 1 - std::abs(px - ix)) * std::max(0.0, 1 - std::abs(py - iy));
        sum += weight * image.at(ix, iy)[0];
        covered += weight;
        if (image.at(ix, iy)[0] != 0 || sizeof(typename Picture::Sample) == 1) measured += weight;
      }
    }
  }
  if (covered == 0) return 0;
  constexpr double most = std::numeric_limits<typename Picture::Sample>::max();
  const double changed = photometric.gain[0] * (sum / measured) + photometric.bias[0];
  const double value = 2 * measured < covered ? 0 : std::clamp(changed, 0.0, most);
  return covered / (n * n) * (value - normalisation.mean[0]) * normalisation.scale[0];
}

// Turned, mirrored, enlarged and shrunk up to 4 times, with the edges of the picture in sight.
template <class Picture>
void check_against_naive(const Normalisation& normalisation, const Photometric& photometric, double zeros = 0) {
  constexpr double most = std::numeric_limits<typename Picture::Sample>::max();
  const double tolerance = 8 * std::numeric_limits<float>::epsilon() *
                           (most * photometric.gain[0] + std::abs(photometric.bias[0]) + normalisation.mean[0]) *
                           normalisation.scale[0];
  RandomStream stream(7, Purpose::test);
  double worst = 0;
  for (const Size size : {Size{1, 1}, Size{2, 7}, Size{13, 11}}) {
    const Picture image = random_picture<Picture>(size.width, size.height, 5, zeros);
    for (int i = 0; i < 12; ++i) {
      const double step = stream.uniform(0.2, 3.9), angle = stream.uniform(-4, 4), side = i % 2 == 0 ? 1 : -1;
      const double c = step * std::cos(angle), s = step * std::sin(angle);
      const Affine m{side * c, -s, size.width / 2.0 - 3 * side * c + 2 * s,
                     side * s, c,  size.height / 2.0 - 3 * side * s - 2 * c};
      const Size input{5, 7};
      std::vector<float> out(35, 1e9f);
      warp(image, m, input, normalisation, false, photometric, out.data());
      for (int k = 0; k < 35; ++k) {
        const double expected = naive(image, m, k % 7, k / 7, normalisation, photometric);
        worst = std::max(worst, std::abs(double(out[std::size_t(k)]) - expected));
      }
    }
  }
  CHECK(worst <= tolerance);
}

}  // namespace

TEST_CASE("warp: one channel of 8 and of 16 bits equals a naive loop in double precision, edges included") {
  const Normalisation grey{{128, 0, 0}, {1.0 / 256, 0, 0}};
  const Normalisation depth{{2000, 0, 0}, {1.0 / 4000, 0, 0}};
  check_against_naive<GreyImage>(grey, {});
  check_against_naive<DepthImage>(depth, {});
  check_against_naive<GreyImage>(grey, {{1.3, 0, 0}, {-20, 0, 0}});
  check_against_naive<DepthImage>(depth, {{1.3, 0, 0}, {-9000, 0, 0}});
}

TEST_CASE("warp: of depth, what was not measured is averaged with nothing, at the edges and reduced, too") {
  for (const double zeros : {0.2, 0.5, 0.9, 1.0}) {
    check_against_naive<DepthImage>({{2000, 0, 0}, {1.0 / 4000, 0, 0}}, {}, zeros);
    check_against_naive<DepthImage>({{2000, 0, 0}, {1.0 / 4000, 0, 0}}, {{1.3, 0, 0}, {900, 0, 0}}, zeros);
    check_against_naive<GreyImage>({{128, 0, 0}, {1.0 / 256, 0, 0}}, {}, zeros);  // where 0 is black
  }
  // Cells of 4 x 4: more than half, half and less than half of them measured.
  DepthImage image(12, 4);
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 12; ++x) {
      const bool measured = x < 4 ? x != 0 : x < 8 ? x % 2 == 0 : x == 8;
      *image.at(x, y) = static_cast<std::uint16_t>(measured ? 1000 + x : 0);
    }
  }
  CHECK(detail::reduce_by(image, 4).pixels == std::vector<std::uint16_t>{1002, 1005, 0});
  // Nothing lies between a wall at 3 m and a hole: no sample says 1.5 m.
  DepthImage wall(40, 1, {0});
  for (int x = 20; x < 40; ++x) *wall.at(x, 0) = 3000;
  std::vector<float> row(95);
  warp(wall, {0.4, 0, 0, 0, 1, 0}, {1, 95}, {{0, 0, 0}, {1, 0, 0}}, false, {}, row.data());
  for (const float value : row) CHECK((value == 0 || value == doctest::Approx(3000)));
  CHECK(row[20] == 0);
  CHECK(row[80] == doctest::Approx(3000));
}

TEST_CASE("warp: a channel of RGB is what a picture of that channel alone gives, to the bit, reduced ones too") {
  Image image = test_environment::noise(90, 70, 6);
  for (std::uint8_t& value : image.pixels) value = std::max<std::uint8_t>(value, 1);  // of depth 0 is something else
  const Normalisation plain{{100, 100, 100}, {0.5, 0.5, 0.5}};
  const Size input{9, 8};
  for (const double step : {0.3, 1.0, 2.7, 3.9, 8.0, 9.3}) {
    const Affine m{step, 0.1 * step, 3.5, -0.1 * step, step, -1.25};
    std::vector<float> rgb(3 * 72), one(72);
    warp(image, m, input, plain, false, {}, rgb.data());
    for (std::size_t c = 0; c < 3; ++c) {
      GreyImage channel(image.width, image.height);
      DepthImage wide(image.width, image.height);
      for (std::size_t i = 0; i < channel.pixels.size(); ++i) {
        channel.pixels[i] = image.pixels[3 * i + c];
        wide.pixels[i] = channel.pixels[i];
      }
      const std::vector<float> expected(rgb.begin() + std::ptrdiff_t(72 * c),
                                        rgb.begin() + std::ptrdiff_t(72 * (c + 1)));
      warp(channel, m, input, plain, true, {}, one.data());
      CHECK(one == expected);
      // Of the same values in 16 bits sums are the same, and so are all numbers that come of them.
      warp(ImageView(wide), m, input, plain, false, {}, one.data());
      CHECK(one == expected);
    }
  }
}

TEST_CASE("warp: 16 bits shrunk beyond 4 times keep the mean of the largest samples, which 32 bits could not hold") {
  const DepthImage image(400, 300, {65'535});
  std::vector<float> out(12);
  warp(image, Affine{100, 0, 49.5, 0, 100, 49.5}, {3, 4}, {{0, 0, 0}, {1, 1, 1}}, false, {}, out.data());
  for (const float value : out) CHECK(value == 65'535.0f);
}

TEST_CASE("draw_augmentation: grey has brightness and contrast in its range, no colour, and the geometry of RGB") {
  const Box square{10, 20, 100, 100};
  const AugmentOptions options;
  const Normalisation depth{{2000, 2000, 2000}, {1.0 / 4000, 1.0 / 4000, 1.0 / 4000}};
  const SampleRange range = sample_range(depth, 16);
  CHECK(range.middle == 2000);
  CHECK(range.span == doctest::Approx(4000));
  CHECK(sample_range(depth, 8).span == 255);
  double brightest = 0;
  for (std::uint64_t sample = 0; sample < 200; ++sample) {
    RandomStream first(3, Purpose::augmentation, 0, sample), second = first, third = first;
    const Augmentation rgb = draw_augmentation(options, square, {64, 64}, first);
    const Augmentation grey = draw_augmentation(options, square, {64, 64}, second, {}, {}, 1);
    const Augmentation wide = draw_augmentation(options, square, {64, 64}, third, {}, range, 1);
    for (const Augmentation* each : {&grey, &wide}) {
      CHECK(each->image_from_input.a == rgb.image_from_input.a);
      CHECK(each->image_from_input.f == rgb.image_from_input.f);
      CHECK(each->mirrored == rgb.mirrored);
    }
    const double contrast = grey.photometric.gain[0];
    CHECK(std::abs(contrast - 1) <= 0.2);
    CHECK(contrast == grey.photometric.gain[2]);
    CHECK(std::abs(rgb.photometric.gain[0] / contrast - 1) <= 0.1 + 1e-12);
    CHECK(wide.photometric.gain[0] == contrast);
    const double brightness = wide.photometric.bias[0] - 2000 * (1 - contrast);
    const double usual = rgb.photometric.bias[0] - 128 * (1 - contrast);
    CHECK(brightness == doctest::Approx(usual * 4000 / 255).epsilon(1e-9));
    brightest = std::max(brightest, std::abs(brightness));
  }
  CHECK(brightest > 350);
  CHECK(brightest <= 400);
}

TEST_CASE("hide: of one channel no more than one is hidden") {
  std::vector<float> pixels(2 * 4 * 4, 1.0f);
  hide({0, 0, 4, 4}, {4, 4}, pixels.data(), 1);
  CHECK(std::count(pixels.begin(), pixels.begin() + 16, 0.0f) == 16);
  CHECK(std::count(pixels.begin() + 16, pixels.end(), 1.0f) == 16);
}

}  // namespace warp_grey_test
