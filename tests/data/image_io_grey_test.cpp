// Pictures of one channel through the image door: 8 and 16 bits, in and out.
#include "data/jpeg_bytes.hpp"
#include "data/png_bytes.hpp"
#include "noise.hpp"
#include "refusal.hpp"
#include "temporary_folder.hpp"

#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/image_kinds.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace image_io_grey_test {

using namespace posemachine;
using test_environment::contains;
using test_environment::noise;
using test_environment::png;
using test_environment::refusal;
using test_environment::TemporaryFolder;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// Made by Python's struct and zlib: 3 x 2 pixels of 16-bit grey, 0, 1, 255 and 256, 1234, 65535.
constexpr unsigned char from_python[]{
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x02, 0x10, 0x00, 0x00, 0x00, 0x00, 0xe8, 0x8f, 0xe5,
    0x85, 0x00, 0x00, 0x00, 0x15, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x60, 0x60, 0x60, 0x60,
    0x64, 0xf8, 0x0f, 0xc4, 0x2c, 0x97, 0xfe, 0xff, 0x07, 0x00, 0x0d, 0x99, 0x03, 0xd6, 0x9a, 0x0d,
    0xad, 0xec, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
};

// Samples that are all different, and their bytes in a file: `channels` of them per pixel.
struct Samples {
  std::vector<std::uint16_t> values;
  std::vector<std::uint8_t> bytes;
  explicit Samples(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      values.push_back(static_cast<std::uint16_t>(65'535 - 1'237 * i));
      bytes.push_back(static_cast<std::uint8_t>(values.back() >> 8));
      bytes.push_back(static_cast<std::uint8_t>(values.back() & 255));
    }
  }
};

}  // namespace

TEST_CASE("image door: 16-bit grey PNG files keep every bit, interlaced and with alpha, too") {
  for (const bool interlaced : {false, true}) {
    const Samples samples(7 * 5);
    const std::string file = png(7, 5, {PNG_COLOR_TYPE_GRAY, 16, interlaced}, samples.bytes);
    const auto depth = decode_image<DepthImage>(bytes_of(file), "depth");
    CHECK(depth.width == 7);
    CHECK(depth.height == 5);
    CHECK(depth.pixels == samples.values);
    const ImageHeader header = image_header(bytes_of(file), "depth");
    CHECK(header.bit_depth == 16);
    CHECK(header.grey);
    CHECK(std::get<DepthImage>(decode_image_as(PixelKind::grey16, bytes_of(file), "depth")).pixels == samples.values);
  }
  const Samples pairs(2 * 6);  // grey and alpha in turn
  const std::string file = png(3, 2, {PNG_COLOR_TYPE_GRAY_ALPHA, 16, false}, pairs.bytes);
  const auto depth = decode_image<DepthImage>(bytes_of(file), "depth");
  for (std::size_t i = 0; i < 6; ++i) CHECK(depth.pixels[i] == pairs.values[2 * i]);
}

TEST_CASE("image door: the samples of a file that no library of ours wrote") {
  const auto depth = decode_image<DepthImage>(std::as_bytes(std::span(from_python)), "python");
  CHECK(depth.width == 3);
  CHECK(depth.pixels == std::vector<std::uint16_t>{0, 1, 255, 256, 1234, 65'535});
}

TEST_CASE("image door: a 16-bit RGB PNG becomes luma of 16 bits where those are wanted") {
  const Samples samples(3 * 4);
  const std::string file = png(2, 2, {PNG_COLOR_TYPE_RGB, 16, false}, samples.bytes);
  BasicImage<std::uint16_t, 3> rgb(2, 2);
  rgb.pixels = samples.values;
  CHECK(decode_image<DepthImage>(bytes_of(file), "wide").pixels == luma(rgb).pixels);
  CHECK_FALSE(image_header(bytes_of(file), "wide").grey);
  CHECK(image_header(bytes_of(file), "wide").bit_depth == 16);
}

TEST_CASE("image door: for 8-bit models a 16-bit PNG is the 8-bit picture that it always was") {
  const Samples samples(4 * 4);
  const std::string file = png(4, 4, {PNG_COLOR_TYPE_GRAY, 16, false}, samples.bytes);
  const Image rgb = decode_image(bytes_of(file), "depth");
  const auto grey = decode_image<GreyImage>(bytes_of(file), "depth");
  for (std::size_t i = 0; i < 16; ++i) {
    CHECK(std::abs(grey.pixels[i] - samples.values[i] / 257.0) <= 1);  // libpng rounds, stb_image cuts
    for (std::size_t c = 0; c < 3; ++c) CHECK(rgb.pixels[3 * i + c] == grey.pixels[i]);
  }
}

TEST_CASE("image door: 8-bit files are refused where 16 bits are wanted, PNG and JPEG, by name and what to do") {
  const TemporaryFolder folder;
  write_png(folder / "grey.png", luma(noise(6, 5, 1)));
  write_image(folder / "photo.jpg", noise(6, 5, 1));
  for (const char* name : {"grey.png", "photo.jpg"}) {
    const std::string message = refusal<DataError>([&] { read_image<DepthImage>(folder / name); });
    CHECK(contains(message, name));
    CHECK(contains(message, "expected samples of 16 bits, as the model's input has (bit_depth), got samples of 8"));
    CHECK(contains(message, "give 16-bit PNG files, or train a model of bit_depth 8"));
    CHECK(read_image_header(folder / name).bit_depth == 8);
  }
  CHECK(read_image_header(folder / "grey.png").grey);
  CHECK_FALSE(read_image_header(folder / "photo.jpg").grey);
}

TEST_CASE("image door: a picture of any kind is written as it is and read back, and damaged ones are refused") {
  const TemporaryFolder folder;
  const GreyImage grey = luma(noise(9, 7, 2));
  DepthImage depth(300, 200);  // more bytes than a stored block of zlib holds
  for (std::size_t i = 0; i < depth.pixels.size(); ++i) depth.pixels[i] = static_cast<std::uint16_t>(i * 40'503u);
  write_png(folder / "grey.png", grey);
  write_png(folder / "depth.png", AnyImage(depth));
  CHECK(read_image<GreyImage>(folder / "grey.png").pixels == grey.pixels);
  CHECK(std::get<DepthImage>(read_image_as(PixelKind::grey16, folder / "depth.png")).pixels == depth.pixels);
  CHECK(read_image_header(folder / "depth.png").size == Size{200, 300});
  CHECK(read_displayable(folder / "depth.png").pixels == displayable(depth).pixels);
  CHECK(read_displayable(folder / "grey.png").pixels == rgb_of(grey).pixels);
  const std::string file = encode_png(depth);
  for (const std::size_t size : {std::size_t{0}, std::size_t{20}, std::size_t{40}, file.size() / 2, file.size() - 13}) {
    CHECK_THROWS_AS(decode_image<DepthImage>(bytes_of(file.substr(0, size)), "cut"), DataError);
  }
  CHECK_THROWS_WITH_AS(decode_image<DepthImage>(bytes_of(file), "large", {.max_pixels = 59'999}),
                       doctest::Contains("between 1 and 59999 pixels"), DataError);
  CHECK_THROWS_AS(encode_png(DepthImage()), UsageError);
}

TEST_CASE("image door: a grey JPEG is known as one, and its luma is what its RGB was") {
  std::vector<std::uint8_t> values;
  for (int i = 0; i < 16 * 8; ++i) values.push_back(static_cast<std::uint8_t>(i));
  const std::string file = test_environment::jpeg(16, 8, 1, values, {.stored = JCS_GRAYSCALE, .given = JCS_GRAYSCALE});
  CHECK(image_header(bytes_of(file), "grey").grey);
  const Image rgb = decode_image(bytes_of(file), "grey");
  const auto grey = decode_image<GreyImage>(bytes_of(file), "grey");
  for (std::size_t i = 0; i < grey.pixels.size(); ++i) {
    for (std::size_t c = 0; c < 3; ++c) CHECK(rgb.pixels[3 * i + c] == grey.pixels[i]);
  }
}

}  // namespace image_io_grey_test
