// Resizing pictures.
#include <posemachine/core/error.hpp>
#include <posemachine/pose/resize.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>

namespace resize_test {

namespace pm = posemachine;

namespace {

pm::Image noise(int width, int height) {
  pm::Image image(width, height);
  std::uint32_t state = 9;
  for (auto& value : image.pixels) value = static_cast<std::uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
  return image;
}

}  // namespace

TEST_CASE("bilinear_resize: the same size gives the same pixels") {
  const auto image = noise(13, 7);
  CHECK(pm::bilinear_resize(image, 13, 7).pixels == image.pixels);
}

TEST_CASE("bilinear_resize: enlarging is bilinear between pixel centres and constant beyond the outermost") {
  const auto image = noise(5, 3);
  const int width = 17;
  const int height = 11;
  const auto out = pm::bilinear_resize(image, width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double sx = std::clamp((x + 0.5) * 5 / width - 0.5, 0.0, 4.0);
      const double sy = std::clamp((y + 0.5) * 3 / height - 0.5, 0.0, 2.0);
      const int x0 = std::min(int(sx), 3), y0 = std::min(int(sy), 1);
      for (int c = 0; c < 3; ++c) {
        const double u = sx - x0, v = sy - y0;
        const double value = (1 - v) * ((1 - u) * image.at(x0, y0)[c] + u * image.at(x0 + 1, y0)[c]) +
                             v * ((1 - u) * image.at(x0, y0 + 1)[c] + u * image.at(x0 + 1, y0 + 1)[c]);
        CHECK(std::abs(out.at(x, y)[c] - value) <= 0.501);  // rounded to a byte
      }
    }
  }
}

TEST_CASE("bilinear_resize: shrinking skips no pixel: one white one in a hundred shows; flat pictures stay flat") {
  pm::Image image(100, 1);
  std::fill_n(image.at(37, 0), 3, std::uint8_t(255));
  const auto out = pm::bilinear_resize(image, 10, 1);
  int sum = 0;
  for (int x = 0; x < 10; ++x) sum += out.at(x, 0)[1];
  CHECK(std::abs(sum - 25) <= 2);  // 255 / 10, each pixel rounded
  CHECK(pm::bilinear_resize(pm::Image(31, 29, {9, 99, 199}), 4, 3).pixels == pm::Image(4, 3, {9, 99, 199}).pixels);
  CHECK(pm::bilinear_resize(pm::Image(1, 1, {9, 99, 199}), 4, 3).pixels == pm::Image(4, 3, {9, 99, 199}).pixels);
}

TEST_CASE("bilinear_resize: empty sizes are refused") {
  CHECK_THROWS_AS(pm::bilinear_resize(pm::Image(), 3, 3), pm::UsageError);
  CHECK_THROWS_AS(pm::bilinear_resize(pm::Image(3, 3), 0, 3), pm::UsageError);
}

}  // namespace resize_test
