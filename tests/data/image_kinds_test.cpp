// Pictures of one kind made from another: luma, bits, what people look at.
#include "noise.hpp"
#include "refusal.hpp"

#include <posemachine/core/image.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/data/image_kinds.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

namespace image_kinds_test {

using namespace posemachine;
using test_environment::contains;
using test_environment::noise;
using test_environment::refusal;

TEST_CASE("luma: Rec. 601 in double precision, rounded, for 8 and 16 bits; grey stays what it is") {
  const Image image = noise(64, 48, 1);
  const GreyImage grey = luma(image);
  REQUIRE(grey.pixels.size() == 64 * 48);
  for (std::size_t i = 0; i < grey.pixels.size(); ++i) {
    const std::uint8_t* rgb = image.pixels.data() + 3 * i;
    const double exact = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
    CHECK(std::abs(grey.pixels[i] - exact) <= 0.5 + 255.0 / 65536);  // weights are rounded to 1/65536
  }
  BasicImage<std::uint16_t, 3> wide(256, 256);
  RandomStream stream(2, Purpose::test);
  for (std::uint16_t& value : wide.pixels) value = static_cast<std::uint16_t>(stream.below(65'536));
  const DepthImage wide_grey = luma(wide);
  bool right = true;
  for (std::size_t i = 0; i < wide_grey.pixels.size(); ++i) {
    const std::uint16_t* rgb = wide.pixels.data() + 3 * i;
    const double exact = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
    right = right && std::abs(wide_grey.pixels[i] - exact) <= 0.5 + 1.5;  // 65535 * 3 * 0.5 / 65536
  }
  CHECK(right);
  for (int value = 0; value < 65'536; ++value) {
    const auto sample = static_cast<std::uint16_t>(value);
    right = right && luma(BasicImage<std::uint16_t, 3>(1, 1, {sample, sample, sample})).pixels[0] == value;
  }
  for (int value = 0; value < 256; ++value) {
    const auto sample = static_cast<std::uint8_t>(value);
    right = right && luma(Image(1, 1, {sample, sample, sample})).pixels[0] == value;
  }
  CHECK(right);
}

TEST_CASE("converted: every kind as every other, but for 8 bits as 16, which is refused") {
  const Image rgb = noise(5, 4, 3);
  const GreyImage grey = luma(rgb);
  DepthImage depth(5, 4);
  for (std::size_t i = 0; i < depth.pixels.size(); ++i) depth.pixels[i] = static_cast<std::uint16_t>(3'400 * i + 7);
  CHECK(std::get<Image>(converted(rgb, PixelKind::rgb8)).pixels == rgb.pixels);
  CHECK(std::get<GreyImage>(converted(rgb, PixelKind::grey8)).pixels == grey.pixels);
  CHECK(std::get<GreyImage>(converted(grey, PixelKind::grey8)).pixels == grey.pixels);
  CHECK(luma(std::get<Image>(converted(grey, PixelKind::rgb8))).pixels == grey.pixels);
  CHECK(std::get<DepthImage>(converted(depth, PixelKind::grey16)).pixels == depth.pixels);
  const auto fewer = std::get<GreyImage>(converted(depth, PixelKind::grey8));
  const auto three = std::get<Image>(converted(depth, PixelKind::rgb8));
  for (std::size_t i = 0; i < depth.pixels.size(); ++i) {
    CHECK(fewer.pixels[i] == std::lround(depth.pixels[i] * 255.0 / 65'535));
    for (std::size_t c = 0; c < 3; ++c) CHECK(three.pixels[3 * i + c] == fewer.pixels[i]);
  }
  for (const ImageView each : {ImageView(rgb), ImageView(grey)}) {
    const std::string message = refusal<DataError>([&] { converted(each, PixelKind::grey16); });
    CHECK(contains(message, "expected samples of 16 bits"));
    CHECK(contains(message, "got samples of 8"));
    CHECK(contains(message, "give 16-bit PNG files, or train a model of bit_depth 8"));
  }
}

TEST_CASE("ImageAs: a picture of the kind that is wanted is seen where it is, no copy made") {
  const AnyImage any = luma(noise(6, 5, 4));
  const ImageAs same(any, PixelKind::grey8);
  const void* at = same.view().visit([](const auto& image) -> const void* { return image.pixels.data(); });
  CHECK(at == std::get<GreyImage>(any).pixels.data());
  const ImageAs other(any, PixelKind::rgb8);
  CHECK(other.view().kind() == PixelKind::rgb8);
  CHECK(other.view().width() == 6);
  CHECK(other.view().height() == 5);
  CHECK(kind_of(any) == PixelKind::grey8);
}

TEST_CASE("displayable: 16 bits are spread between the least and the largest value, and what was not seen is black") {
  DepthImage depth(4, 1);
  depth.pixels = {0, 1000, 1500, 2000};
  const Image shown = displayable(depth);
  for (std::size_t c = 0; c < 3; ++c) {
    CHECK(shown.at(0, 0)[c] == 0);
    CHECK(shown.at(1, 0)[c] == 32);
    CHECK(shown.at(2, 0)[c] == 143);  // 32 + 223 / 2
    CHECK(shown.at(3, 0)[c] == 255);
  }
  depth.pixels = {0, 0, 0, 0};
  CHECK(displayable(depth).pixels == Image(4, 1).pixels);
  depth.pixels = {9, 9, 0, 9};
  CHECK(displayable(depth).at(0, 0)[0] == 255);
  const Image rgb = noise(3, 3, 5);
  CHECK(displayable(rgb).pixels == rgb.pixels);
  CHECK(displayable(luma(rgb)).pixels == rgb_of(luma(rgb)).pixels);
}

}  // namespace image_kinds_test
