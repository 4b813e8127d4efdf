// Pictures decoded at 1/2, 1/4 and 1/8: the same means, the same places, the same refusals as whole ones.
#include "data/exif_bytes.hpp"
#include "data/jpeg_bytes.hpp"
#include "noise.hpp"
#include "temporary_folder.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/reduced_image.hpp>
#include <posemachine/data/warp.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace image_io_reduced_test {

namespace pm = posemachine;
using test_environment::jpeg;
using test_environment::with_orientation;

namespace {

const pm::Normalisation plain{{0, 0, 0}, {1, 1, 1}};

pm::ReducedImage decode(const std::string& file, int factor, pm::PixelKind kind = pm::PixelKind::rgb8) {
  const auto bytes = std::as_bytes(std::span(file.data(), file.size()));
  return pm::decode_reduced(kind, bytes, "picture", [factor](pm::Size) { return factor; });
}

const pm::Image& rgb(const pm::ReducedImage& image) { return std::get<pm::Image>(image.picture); }

/// Waves of 60 pixels and more, other ones in each colour.
pm::Image waves(int width, int height) {
  pm::Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (std::size_t c = 0; c < 3; ++c) {
        const double phase = x / (10.0 + 3 * double(c)) + y / (17.0 - 2 * double(c)) + double(c);
        image.at(x, y)[c] = static_cast<std::uint8_t>(std::lround(128 + 90 * std::sin(phase)));
      }
    }
  }
  return image;
}

/// Colours at full resolution, or halved as cameras store them.
std::string jpeg_of(const pm::Image& image, bool halved) {
  return halved ? jpeg(image.width, image.height, 3, image.pixels) : pm::encode_jpeg(image, 98);
}

std::vector<float> view_of(const pm::ReducedImage& image, const pm::Affine& whole_from_input, pm::Size input) {
  std::vector<float> out(std::size_t(3 * input.height * input.width));
  pm::warp(image.picture, pm::compose(image.reduced_from_whole, whole_from_input), input, plain, false, {}, out.data());
  return out;
}

/// The map of an input that shrinks, turned by an angle about its centre, which lies at `middle` of the picture.
pm::Affine view(double shrink, double angle_rad, pm::Point middle, pm::Size input) {
  const double c = shrink * std::cos(angle_rad), s = shrink * std::sin(angle_rad);
  const double x = (input.width - 1) / 2.0, y = (input.height - 1) / 2.0;
  return {c, -s, middle.x - c * x + s * y, s, c, middle.y - s * x - c * y};
}

/// The centre of what is brighter than black, in pixels of the view.
pm::Point centroid(const std::vector<float>& values, pm::Size input) {
  double sum = 0, x = 0, y = 0;
  for (int row = 0; row < input.height; ++row) {
    for (int column = 0; column < input.width; ++column) {
      const double value = std::max(0.0, double(values[std::size_t(row * input.width + column)]) - 8);  // JPEG's rings
      sum += value;
      x += value * column;
      y += value * row;
    }
  }
  return {x / sum, y / sum};
}

std::string refusal(const std::string& file, int factor) {
  try {
    decode(file, factor);
  } catch (const pm::DataError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("reduction_factor: the largest that leaves a shrinking of 2, and none below 4") {
  for (const auto& [shrink, factor] :
       {std::pair{0.3, 1}, {1.0, 1}, {3.99, 1}, {4.0, 2}, {7.99, 2}, {8.0, 4}, {15.9, 4}, {16.0, 8}, {1000.0, 8}}) {
    CHECK(pm::reduction_factor(shrink) == factor);
  }
}

TEST_CASE("decode_reduced: the choice is made by the size of the whole picture, upright, and sides are rounded up") {
  for (const bool is_png : {false, true}) {
    const pm::Image image = waves(43, 30);
    const std::string file = is_png ? pm::encode_png(image) : pm::encode_jpeg(image);
    for (const int orientation : {1, 3, 6, 7}) {
      const std::string turned = with_orientation(file, orientation, true);
      const pm::Size whole = orientation < 5 ? pm::Size{30, 43} : pm::Size{43, 30};
      for (const int factor : pm::reduction_factors) {
        int asked = 0;
        const auto bytes = std::as_bytes(std::span(turned.data(), turned.size()));
        const pm::ReducedImage reduced = pm::decode_reduced(pm::PixelKind::rgb8, bytes, "picture", [&](pm::Size size) {
          ++asked;
          CHECK(size == whole);
          return factor;
        });
        CHECK(asked == 1);
        CHECK(reduced.whole == whole);
        CHECK(reduced.factor == factor);
        CHECK(rgb(reduced).width == (whole.width + factor - 1) / factor);
        CHECK(rgb(reduced).height == (whole.height + factor - 1) / factor);
        CHECK(pm::pixel_bytes(reduced) == std::size_t(3 * rgb(reduced).width * rgb(reduced).height));
      }
    }
  }
  for (const int factor : {0, 3, 16}) CHECK_THROWS_AS(decode(pm::encode_jpeg(waves(9, 9)), factor), pm::UsageError);
}

TEST_CASE("decode_reduced: at factor 1, or without a choice, the pixels are those of decode_image") {
  const pm::Image image = test_environment::noise(53, 31, 1);
  for (const std::string& file : {pm::encode_jpeg(image), pm::encode_png(image), jpeg_of(image, true),
                                  with_orientation(jpeg_of(image, true), 6, false)}) {
    const auto bytes = std::as_bytes(std::span(file.data(), file.size()));
    const pm::Image whole = pm::decode_image(bytes, "picture");
    CHECK(rgb(decode(file, 1)).pixels == whole.pixels);
    CHECK(rgb(pm::decode_reduced(pm::PixelKind::rgb8, bytes, "picture", {})).pixels == whole.pixels);
    CHECK(std::get<pm::GreyImage>(decode(file, 1, pm::PixelKind::grey8).picture).pixels == pm::luma(whole).pixels);
    const pm::Point p = pm::apply(decode(file, 1).reduced_from_whole, {3, 5});
    CHECK(p == pm::Point{3, 5});
  }
}

TEST_CASE("decode_reduced: a pixel is the mean of its cell, in JPEG within 2 levels, in PNG to the last bit") {
  const pm::Image image = waves(161, 97);
  for (const int factor : {2, 4, 8}) {
    CHECK(rgb(decode(pm::encode_png(image), factor)).pixels == pm::detail::reduce_by(image, factor).pixels);
    const std::string file = pm::encode_jpeg(image, 98);
    const pm::Image expected = pm::detail::reduce_by(rgb(decode(file, 1)), factor);
    const pm::Image got = rgb(decode(file, factor));
    int worst = 0;
    for (int y = 0; y < image.height / factor; ++y) {  // whole cells
      for (int x = 0; x < image.width / factor; ++x) {
        for (int c = 0; c < 3; ++c) worst = std::max(worst, std::abs(int(got.at(x, y)[c]) - int(expected.at(x, y)[c])));
      }
    }
    CHECK(worst <= 2);
  }
}

TEST_CASE("decode_reduced: of depth, pixels of 0 are left out of the mean; grey is the luma of what colours would be") {
  pm::DepthImage depth(4, 2, {3000});
  depth.at(0, 0)[0] = 0;
  depth.at(2, 0)[0] = depth.at(3, 0)[0] = depth.at(2, 1)[0] = 0;
  const auto reduced = std::get<pm::DepthImage>(decode(pm::encode_png(depth), 2, pm::PixelKind::grey16).picture);
  CHECK(reduced.pixels == std::vector<std::uint16_t>{3000, 0});
  const std::string file = pm::encode_jpeg(waves(40, 24));
  CHECK(std::get<pm::GreyImage>(decode(file, 4, pm::PixelKind::grey8).picture).width == 10);
#if !defined(POSEMACHINE_IMAGE_STB)
  CHECK(std::get<pm::GreyImage>(decode(file, 4, pm::PixelKind::grey8).picture).pixels ==
        pm::luma(rgb(decode(file, 4))).pixels);
#endif
}

TEST_CASE("decode_reduced: a view of a smooth picture is that of the whole one within 1 level in the mean") {
  const pm::Size input{48, 56};
  for (const auto& [width, height] : {std::pair{640, 480}, {601, 437}}) {
    const pm::Image image = waves(width, height);
    for (const std::string& file : {jpeg_of(image, false), jpeg_of(image, true), pm::encode_png(image)}) {
      for (const int factor : {2, 4, 8}) {
        const pm::Affine map = view(2.0 * factor, 0.3, {width / 2.0, height / 2.0}, input);
        const std::vector<float> whole = view_of(decode(file, 1), map, input);
        const std::vector<float> reduced = view_of(decode(file, factor), map, input);
        double sum = 0;
        for (std::size_t i = 0; i < whole.size(); ++i) sum += std::abs(double(whole[i]) - double(reduced[i]));
        CAPTURE(factor);
        CHECK(sum / double(whole.size()) < 1);
      }
    }
  }
}

TEST_CASE("decode_reduced: a mark is seen within 0.1 input pixels of where it is, for all orientations and odd sizes") {
  constexpr int width = 401, height = 349;  // by 8: 1 and 5 over
  const pm::Size input{40, 44};
  for (const int factor : {2, 4, 8}) {
    pm::Image stored(width, height);
    const int left = 320, top = 23, side = 6 * factor;  // three pixels of the input, whose edges meet no cell's
    for (int y = top; y < top + side; ++y) std::fill(stored.at(left, y), stored.at(left + side, y), std::uint8_t{250});
    const double x = left + (side - 1) / 2.0, y = top + (side - 1) / 2.0, mirrored_x = width - 1 - x,
                 mirrored_y = height - 1 - y;
    const std::vector<pm::Point> upright{{x, y}, {mirrored_x, y}, {mirrored_x, mirrored_y}, {x, mirrored_y},
                                         {y, x}, {mirrored_y, x}, {mirrored_y, mirrored_x}, {y, mirrored_x}};
    for (const std::string& file : {jpeg_of(stored, false), jpeg_of(stored, true), pm::encode_png(stored)}) {
      for (int orientation = 1; orientation <= 8; ++orientation) {
        const std::string turned = with_orientation(file, orientation, true);
        const pm::Point at = upright[std::size_t(orientation - 1)];
        for (const double angle_rad : {0.0, 0.4}) {
          const pm::Affine map = view(2.1 * factor, angle_rad, {at.x + 1.7 * factor, at.y - 2.2 * factor}, input);
          const pm::Point expected = pm::apply(pm::inverse(map), at);
          const pm::Point whole = centroid(view_of(decode(turned, 1), map, input), input);
          const pm::Point reduced = centroid(view_of(decode(turned, factor), map, input), input);
          CAPTURE(file.substr(1, 3));
          CAPTURE(orientation);
          CAPTURE(factor);
          CHECK(pm::distance(whole, expected) < 0.1);
          CHECK(pm::distance(reduced, expected) < 0.1);
          CHECK(pm::distance(reduced, whole) < 0.1);
        }
      }
    }
  }
}

TEST_CASE("decode_reduced: a truncated or damaged file is refused in the same words, whatever the factor") {
  const pm::Image image = test_environment::noise(61, 47, 3);
  for (const std::string& file :
       {pm::encode_jpeg(image), jpeg_of(image, true), jpeg(61, 47, 3, image.pixels, {.progressive = true}),
        jpeg(61, 47, 3, image.pixels, {.restart = 2}), pm::encode_png(image)}) {
    int refused = 0;
    for (std::size_t size = 0; size < file.size(); size += 1 + file.size() / 50) {
      const std::string part = file.substr(0, size);
      const std::string whole = refusal(part, 1);
      refused += whole.empty() ? 0 : 1;
      for (const int factor : {2, 4, 8}) CHECK(refusal(part, factor) == whole);
    }
    CHECK(refused >= 40);
  }
}

TEST_CASE("decode_reduced: CMYK, grey and progressive files, and pictures smaller than a cell") {
  const pm::Image image = waves(33, 18);
  std::vector<std::uint8_t> inks(std::size_t(33 * 18 * 4), 200);
  for (const int factor : {2, 4, 8}) {
#if !defined(POSEMACHINE_IMAGE_STB)
    const std::string cmyk = jpeg(33, 18, 4, inks, {.stored = JCS_CMYK, .given = JCS_CMYK});
    CHECK(rgb(decode(cmyk, factor)).at(1, 1)[0] == rgb(decode(cmyk, 1)).at(8, 8)[0]);
#endif
    const std::string grey =
        jpeg(33, 18, 1, std::vector<std::uint8_t>(33 * 18, 77), {.stored = JCS_GRAYSCALE, .given = JCS_GRAYSCALE});
    CHECK(std::abs(int(rgb(decode(grey, factor)).at(1, 1)[2]) - 77) <= 1);
    CHECK(rgb(decode(jpeg(33, 18, 3, image.pixels, {.progressive = true}), factor)).width ==
          (33 + factor - 1) / factor);
    CHECK(rgb(decode(pm::encode_jpeg(pm::Image(1, 1, {90, 90, 90})), factor)).width == 1);
  }
}

TEST_CASE("read_reduced: through a file, with its name in errors, and the limits of the whole picture") {
  const test_environment::TemporaryFolder folder;
  const auto path = folder.write("a.jpg", pm::encode_jpeg(waves(64, 48)));
  const auto by_four = [](pm::Size) { return 4; };
  CHECK(rgb(pm::read_reduced(pm::PixelKind::rgb8, path, by_four)).width == 16);
  CHECK_THROWS_WITH_AS(pm::read_reduced(pm::PixelKind::rgb8, path, by_four, {.max_pixels = 64 * 48 - 1}),
                       doctest::Contains("a.jpg: expected between 1 and 3071 pixels"), pm::DataError);
  CHECK_THROWS_WITH_AS(pm::read_reduced(pm::PixelKind::rgb8, folder / "b.jpg", by_four), doctest::Contains("b.jpg"),
                       pm::DataError);
  CHECK_THROWS_AS(pm::read_reduced(pm::PixelKind::grey16, path, by_four), pm::DataError);
}

}  // namespace image_io_reduced_test
