#include <posemachine/core/image.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace image_test {

namespace pm = posemachine;

TEST_CASE("Image: a new picture has its colour in every pixel, in the order red, green, blue") {
  const pm::Image image(5, 3, {10, 20, 30});
  REQUIRE(image.pixels.size() == 5 * 3 * 3);
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 5; ++x) {
      CHECK(image.at(x, y)[0] == 10);
      CHECK(image.at(x, y)[1] == 20);
      CHECK(image.at(x, y)[2] == 30);
    }
  }
}

TEST_CASE("Image: rows follow each other without gaps, x runs fastest") {
  pm::Image image(5, 3);
  image.at(4, 1)[2] = 99;
  CHECK(image.pixels[(1 * 5 + 4) * 3 + 2] == 99);
  CHECK(std::count(image.pixels.begin(), image.pixels.end(), 0) == 5 * 3 * 3 - 1);
  CHECK(image.at(0, 2) - image.at(0, 1) == 15);
}

TEST_CASE("Image: an empty picture has no pixels") {
  CHECK(pm::Image().pixels.empty());
  CHECK(pm::Image(0, 7).pixels.empty());
}

}  // namespace image_test
