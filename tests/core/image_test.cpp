#include <posemachine/core/image.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

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

TEST_CASE("DepthImage: one sample of 16 bits per pixel, rows without gaps") {
  pm::DepthImage image(5, 3, {1234});
  REQUIRE(image.pixels.size() == 5 * 3);
  image.at(4, 1)[0] = 65'535;
  CHECK(image.pixels[1 * 5 + 4] == 65'535);
  CHECK(std::count(image.pixels.begin(), image.pixels.end(), 1234) == 5 * 3 - 1);
  CHECK(pm::GreyImage(2, 2).pixels == std::vector<std::uint8_t>(4, 0));
}

TEST_CASE("ImageView: every kind of picture is seen as what it is, in a variant, too") {
  const pm::Image rgb(7, 2);
  const pm::GreyImage grey(3, 4);
  const pm::AnyImage any = pm::DepthImage(5, 6);
  const auto expect = [](pm::ImageView view, pm::PixelKind kind, int width, int height, std::size_t channels) {
    CHECK(view.kind() == kind);
    CHECK(view.width() == width);
    CHECK(view.height() == height);
    CHECK(view.visit([]<class Picture>(const Picture&) { return Picture::channels; }) == channels);
  };
  expect(rgb, pm::PixelKind::rgb8, 7, 2, 3);
  expect(grey, pm::PixelKind::grey8, 3, 4, 1);
  expect(any, pm::PixelKind::grey16, 5, 6, 1);
  CHECK(pm::kind_of(any) == pm::PixelKind::grey16);
}

TEST_CASE("Image: an empty picture has no pixels") {
  CHECK(pm::Image().pixels.empty());
  CHECK(pm::Image(0, 7).pixels.empty());
}

}  // namespace image_test
