// Pictures in and out: formats, EXIF, limits and damage.
#include "data/exif_bytes.hpp"
#include "data/jpeg_bytes.hpp"
#include "data/png_bytes.hpp"
#include "noise.hpp"
#include "temporary_folder.hpp"

#include <posemachine/data/image_io.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <jpeglib.h>
#include <png.h>
#include <sys/stat.h>
#include <zlib.h>

namespace image_io_test {

namespace pm = posemachine;
using test_environment::TemporaryFolder;

namespace {

using test_environment::jpeg;
using test_environment::JpegOptions;
using test_environment::png;
using test_environment::with_orientation;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

pm::Image decode(const std::string& text, const pm::ImageLimits& limits = {}) {
  return pm::decode_image(bytes_of(text), "picture", limits);
}

/// The message of the error that decoding throws; empty if it throws none.
std::string refusal(const std::string& text, const pm::ImageLimits& limits = {}) {
  try {
    decode(text, limits);
  } catch (const pm::DataError& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// A picture whose every pixel differs from its neighbours.
pm::Image pattern(int width, int height) {
  pm::Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.at(x, y)[0] = static_cast<std::uint8_t>(7 * x + 3 * y);
      image.at(x, y)[1] = static_cast<std::uint8_t>(255 - 5 * x);
      image.at(x, y)[2] = static_cast<std::uint8_t>(11 * y);
    }
  }
  return image;
}

/// A smooth picture: red grows to the right, green downwards; JPEG keeps it within a few levels.
pm::Image gradient(int width, int height) {
  pm::Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      image.at(x, y)[0] = static_cast<std::uint8_t>(20 + 200 * x / width);
      image.at(x, y)[1] = static_cast<std::uint8_t>(20 + 200 * y / height);
      image.at(x, y)[2] = 100;
    }
  }
  return image;
}

std::string jpeg(const pm::Image& image, JpegOptions options = {}) {
  return jpeg(image.width, image.height, 3, image.pixels, options);
}

pm::Rgb pixel(const pm::Image& image, int x, int y) {
  return {image.at(x, y)[0], image.at(x, y)[1], image.at(x, y)[2]};
}

int largest_difference(const pm::Image& a, const pm::Image& b) {
  REQUIRE(a.width == b.width);
  REQUIRE(a.height == b.height);
  int worst = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) {
    worst = std::max(worst, std::abs(int(a.pixels[i]) - int(b.pixels[i])));
  }
  return worst;
}

#if defined(POSEMACHINE_IMAGE_STB)
constexpr int jpeg_levels = 24;  // stb_image_write halves the resolution of colours, and gradients here are steep
#else
constexpr int jpeg_levels = 8;
#endif

}  // namespace

TEST_CASE("image door: a PNG we write reads back with the same bytes, 1 x 1 to odd sizes") {
  for (const auto& [width, height] : {std::pair{1, 1}, {3, 1}, {1, 7}, {37, 53}}) {
    const pm::Image image = pattern(width, height);
    const pm::Image back = decode(pm::encode_png(image));
    CHECK(back.width == width);
    CHECK(back.height == height);
    CHECK(back.pixels == image.pixels);
  }
  CHECK_THROWS_AS(pm::encode_png(pm::Image{}), pm::UsageError);
}

TEST_CASE("image door: a JPEG we write reads back within a few levels, thin colours too, whatever its size") {
  for (const auto& [width, height] : {std::pair{1, 1}, {3, 1}, {1, 7}, {37, 53}, {400, 300}}) {
    const std::string bytes = pm::encode_jpeg(gradient(width, height));
    CHECK(bytes.starts_with("\xff\xd8\xff"));
    CHECK(bytes.ends_with("\xff\xd9"));
    CHECK(largest_difference(decode(bytes), gradient(width, height)) <= jpeg_levels);
  }
  pm::Image noise = pattern(900, 700);  // larger than a chunk of the encoder's
  CHECK(pm::encode_jpeg(noise, 100).size() > 65536 * 2);
  CHECK(pm::encode_jpeg(noise, 50).size() < pm::encode_jpeg(noise).size());
#if !defined(POSEMACHINE_IMAGE_STB)
  pm::Image line(64, 64, {128, 128, 128});  // one pixel of red: it stays red, as colours are not averaged over pixels
  for (int y = 0; y < 64; ++y) line.at(33, y)[0] = 240, line.at(33, y)[1] = line.at(33, y)[2] = 60;
  const pm::Image back = decode(pm::encode_jpeg(line));
  CHECK(back.at(33, 20)[0] > 210);
  CHECK(back.at(33, 20)[1] < 90);
#endif
  CHECK_THROWS_AS(pm::encode_jpeg(pm::Image{}), pm::UsageError);
  CHECK_THROWS_AS(pm::encode_jpeg(pattern(2, 2), 0), pm::UsageError);
  CHECK_THROWS_AS(pm::encode_jpeg(pattern(65'501, 1)), pm::UsageError);
  CHECK_THROWS_AS(pm::encode_jpeg(pattern(2, 2), 101), pm::UsageError);
}

TEST_CASE("image door: write_image takes the format from the name, and refuses names that say none") {
  const TemporaryFolder folder;
  const pm::Image image = gradient(20, 10);
  for (const char* name : {"a.png", "b.PNG", "c.jpg", "d.JPEG"}) {
    pm::write_image(folder / name, image);
    CHECK(largest_difference(pm::read_image(folder / name), image) <=
          (pm::format_by_name(name) == pm::ImageFormat::png ? 0 : jpeg_levels));
  }
  for (const char* name : {"a.gif", "a", ".png", "a.png.txt"}) {
    CHECK_THROWS_WITH_AS(pm::write_image(folder / name, image), doctest::Contains("ends in .png, .jpg or .jpeg"),
                         pm::UsageError);
  }
}

TEST_CASE("image door: write_png and read_image go through a file") {
  const TemporaryFolder folder;
  const pm::Image image = pattern(9, 4);
  pm::write_png(folder / "a.png", image);
  CHECK(pm::read_image(folder / "a.png").pixels == image.pixels);
}

TEST_CASE("image door: JPEG baseline and progressive are within a few levels of the picture") {
  const pm::Image image = gradient(53, 37);
  CHECK(largest_difference(decode(jpeg(image)), image) <= 6);
  CHECK(largest_difference(decode(jpeg(image, {.progressive = true})), image) <= 6);
}

TEST_CASE("image door: grey JPEG becomes equal red, green and blue") {
  const std::vector<std::uint8_t> grey(16 * 8, 77);
  const pm::Image image = decode(jpeg(16, 8, 1, grey, {.stored = JCS_GRAYSCALE, .given = JCS_GRAYSCALE}));
  CHECK(pixel(image, 5, 5) == pm::Rgb{77, 77, 77});
}

#if !defined(POSEMACHINE_IMAGE_STB)
TEST_CASE("image door: CMYK and YCCK JPEGs are converted, Adobe's inverted inks included") {
  std::vector<std::uint8_t> inks;
  for (int i = 0; i < 16 * 16; ++i) inks.insert(inks.end(), {250, 100, 50, 200});  // Adobe: 255 is no ink
  const auto near = [](const pm::Image& image, int r, int g, int b) {
    const pm::Rgb p = pixel(image, 7, 7);
    return std::abs(p[0] - r) <= 4 && std::abs(p[1] - g) <= 4 && std::abs(p[2] - b) <= 4;
  };
  CHECK(near(decode(jpeg(16, 16, 4, inks, {.stored = JCS_CMYK, .given = JCS_CMYK})), 196, 78, 39));
  CHECK(near(decode(jpeg(16, 16, 4, inks, {.stored = JCS_YCCK, .given = JCS_CMYK})), 196, 78, 39));
  // Without Adobe's marker the inks are what they say: 250 is nearly full cyan, 200 much black.
  CHECK(near(decode(jpeg(16, 16, 4, inks, {.stored = JCS_CMYK, .given = JCS_CMYK, .adobe = false})), 1, 33, 44));
}
#endif

TEST_CASE("image door: EXIF orientations 1 to 8, both byte orders, turn the picture upright") {
  const pm::Image seen = gradient(48, 32);  // what the viewer should see: red to the right, green downwards
  for (int orientation = 1; orientation <= 8; ++orientation) {
    // How a camera stores it. Source of the eight cases: EXIF 2.3, the place of row 0 and column 0.
    const bool swapped = orientation >= 5;
    pm::Image stored(swapped ? 32 : 48, swapped ? 48 : 32);
    for (int row = 0; row < stored.height; ++row) {
      for (int column = 0; column < stored.width; ++column) {
        int x = 0;
        int y = 0;
        switch (orientation) {
          case 1: x = column, y = row; break;            // row 0 top, column 0 left
          case 2: x = 47 - column, y = row; break;       // top, right
          case 3: x = 47 - column, y = 31 - row; break;  // bottom, right
          case 4: x = column, y = 31 - row; break;       // bottom, left
          case 5: x = row, y = column; break;            // left, top
          case 6: x = 47 - row, y = column; break;       // right, top
          case 7: x = 47 - row, y = 31 - column; break;  // right, bottom
          case 8: x = row, y = 31 - column; break;       // left, bottom
        }
        for (int c = 0; c < 3; ++c) stored.at(column, row)[c] = seen.at(x, y)[c];
      }
    }
    for (const bool little : {false, true}) {
      CAPTURE(orientation);
      for (const bool is_long : {false, true}) {
        CHECK(largest_difference(decode(with_orientation(jpeg(stored), orientation, little, is_long)), seen) <= 8);
        const std::string turned = with_orientation(pm::encode_png(stored), orientation, little, is_long);
        CHECK(decode(turned).pixels == seen.pixels);
        const pm::ImageHeader header = pm::image_header(std::as_bytes(std::span(turned.data(), turned.size())), "png");
        CHECK(header.size == pm::Size{32, 48});
      }
    }
  }
}

TEST_CASE("image door: of several EXIF blocks the first one counts") {
  const std::string second = with_orientation(jpeg(gradient(24, 16)), 6, true);
  CHECK(decode(second).width == 16);
  CHECK(decode(with_orientation(second, 1, true)).width == 24);
}

TEST_CASE("image door: an EXIF block without sense leaves the picture as it is stored") {
  const std::string plain = jpeg(gradient(24, 16));
  for (const int orientation : {0, 9, 65535}) CHECK(decode(with_orientation(plain, orientation, true)).width == 24);
  // Every truncation and every damaged byte of the block itself must be survived.
  const std::string whole = with_orientation(plain, 6, false);
  for (std::size_t at = 12; at < 50; ++at) {
    for (const char value : {'\0', '\x7f', '\xff'}) {
      std::string damaged = whole;
      damaged[at] = value;
      const pm::Image image = decode(damaged);
      CHECK(image.width * image.height == 24 * 16);
    }
  }
}

TEST_CASE("image door: an EXIF chunk without content leaves a PNG as it is stored") {  // found by libFuzzer
  const std::string plain = pm::encode_png(gradient(24, 16));
  const std::string name = "eXIf";
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(name.data()), static_cast<uInt>(name.size()));
  std::string chunk = std::string(4, '\0') + name;
  for (int i = 3; i >= 0; --i) chunk += static_cast<char>(crc >> 8 * i & 255u);
  const pm::Image image = decode(plain.substr(0, plain.size() - 12) + chunk + plain.substr(plain.size() - 12));
  CHECK(image.pixels == gradient(24, 16).pixels);
}

TEST_CASE("image door: PNG of every colour type and depth becomes 8-bit RGB") {
  for (const bool interlaced : {false, true}) {
    const auto read = [interlaced](int type, int depth, const std::vector<std::uint8_t>& row) {
      std::vector<std::uint8_t> rows;
      for (int y = 0; y < 3; ++y) rows.insert(rows.end(), row.begin(), row.end());
      return decode(png(2, 3, {type, depth, interlaced}, rows));
    };
    CAPTURE(interlaced);
    CHECK(pixel(read(PNG_COLOR_TYPE_GRAY, 8, {40, 90}), 1, 2) == pm::Rgb{90, 90, 90});
    CHECK(pixel(read(PNG_COLOR_TYPE_GRAY, 1, {0b0100'0000}), 1, 2) == pm::Rgb{255, 255, 255});
    CHECK(pixel(read(PNG_COLOR_TYPE_GRAY, 2, {0b0010'0000}), 1, 1) == pm::Rgb{170, 170, 170});
    CHECK(pixel(read(PNG_COLOR_TYPE_GRAY, 4, {0x05}), 1, 1) == pm::Rgb{85, 85, 85});
    CHECK(pixel(read(PNG_COLOR_TYPE_GRAY, 16, {0, 0, 0x80, 0x80}), 1, 0) == pm::Rgb{128, 128, 128});
    CHECK(pixel(read(PNG_COLOR_TYPE_GRAY_ALPHA, 8, {1, 2, 60, 0}), 1, 0) == pm::Rgb{60, 60, 60});
    const std::vector<std::uint8_t> deep{0, 0, 0, 0, 0, 0, 10, 10, 20, 20, 30, 30};
    CHECK(pixel(read(PNG_COLOR_TYPE_RGB, 16, deep), 1, 0) == pm::Rgb{10, 20, 30});
    CHECK(pixel(read(PNG_COLOR_TYPE_RGBA, 8, {0, 0, 0, 0, 9, 8, 7, 0}), 1, 2) == pm::Rgb{9, 8, 7});
    CHECK(pixel(read(PNG_COLOR_TYPE_PALETTE, 8, {0, 1}), 1, 2) == pm::Rgb{200, 100, 50});
    CHECK(pixel(read(PNG_COLOR_TYPE_PALETTE, 2, {0b0010'0000}), 1, 2) == pm::Rgb{0, 255, 0});
  }
}

TEST_CASE("image door: a JPEG cut short anywhere is an error, never a half grey picture") {
  for (const bool progressive : {false, true}) {
    const std::string whole = jpeg(pattern(40, 40), {.progressive = progressive});
    for (std::size_t size = 1; size < whole.size(); size += 7) {
      CAPTURE(size);
      CHECK(contains(refusal(whole.substr(0, size)), "picture"));
    }
    CHECK(refusal(whole.substr(0, whole.size() - 2)) != "");  // only the end marker is missing
    CHECK(refusal(whole + "trailing bytes") == "");
  }
}

TEST_CASE("image door: a PNG cut short anywhere, or with a wrong checksum, is an error") {
  const std::string whole = pm::encode_png(pattern(30, 30));
  for (std::size_t size = 1; size < whole.size(); size += 7) {
    CAPTURE(size);
    CHECK(contains(refusal(whole.substr(0, size)), "picture"));
  }
#if !defined(POSEMACHINE_IMAGE_STB)  // stb_image does not compare checksums
  std::string damaged = whole;
  damaged[whole.size() / 2] = static_cast<char>(damaged[whole.size() / 2] ^ 1);
  CHECK(contains(refusal(damaged), "expected a whole PNG image"));
#endif
}

#if !defined(POSEMACHINE_IMAGE_STB)
TEST_CASE("image door: 2000 damaged files neither crash nor give a picture of another size") {
  const std::vector<std::string> whole{jpeg(pattern(33, 21)), jpeg(pattern(33, 21), {.progressive = true}),
                                       pm::encode_png(pattern(33, 21))};
  std::uint64_t state = 1;
  int refused = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = whole[std::size_t(i % 3)];
    for (int k = 0; k <= i % 4; ++k) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      damaged[(state >> 33) % damaged.size()] = static_cast<char>(state >> 56);
    }
    refused += refusal(damaged, {.max_pixels = 100'000}) != "";
  }
  CHECK(refused > 500);
}
#endif

TEST_CASE("image door: a picture above the pixel budget is refused from its header") {
  const pm::ImageLimits limits{.max_pixels = 30 * 20 - 1};
  CHECK(contains(refusal(pm::encode_png(pattern(30, 20)), limits), "30 x 20"));
  CHECK(contains(refusal(jpeg(pattern(30, 20)), limits), "30 x 20"));
  CHECK(refusal(jpeg(pattern(30, 20)), {.max_pixels = 600}) == "");
  // A header that announces 65280 x 65280: start of frame, after SOI and the tables, patched in place.
  std::string bomb = jpeg(pattern(16, 16));
  const std::size_t frame = bomb.find("\xff\xc0");
  for (std::size_t i = 5; i < 9; i += 2) bomb[frame + i] = '\xff', bomb[frame + i + 1] = '\0';
  CHECK(contains(refusal(bomb), "65280 x 65280"));
  bomb[frame + 5] = bomb[frame + 6] = '\0';  // no height at all
  CHECK(refusal(bomb) != "");
}

TEST_CASE("image door: a header says what decoding gives, however much stands before it") {
  const TemporaryFolder folder;
  const auto size_of = [&](const std::string& bytes) {
    return pm::read_image_header(folder.write("picture", bytes)).size;
  };
  for (const auto& [width, height] : {std::pair{1, 1}, {53, 37}, {7, 301}}) {
    CHECK(size_of(pm::encode_png(pattern(width, height))) == pm::Size{height, width});
    CHECK(size_of(jpeg(gradient(width, height), {.progressive = true})) == pm::Size{height, width});
  }
  CHECK(pm::read_image_header(folder.write("a", pm::encode_png(pattern(3, 2)))).format == pm::ImageFormat::png);
  // Comments of 0xffff bytes before the size: read in several parts, the last of which is the whole file.
  std::string far = jpeg(gradient(53, 37));
  for (int i = 0; i < 6; ++i) far.insert(2, "\xff\xfe\xff\xff" + std::string(65'533, 'x'));
  CHECK(size_of(far) == pm::Size{37, 53});
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const std::string turned = with_orientation(jpeg(gradient(48, 32)), orientation, true);
    const pm::Image seen = decode(turned);
    CHECK(size_of(turned) == pm::Size{seen.height, seen.width});
  }
  // A PNG's orientation may stand behind more pixels than a header is read for.
  const std::string pixels = pm::encode_png(test_environment::noise(200, 150, 1));
  REQUIRE(pixels.size() > 65'536);
  CHECK(size_of(pixels) == pm::Size{150, 200});
  CHECK(size_of(with_orientation(pixels, 3, true)) == pm::Size{150, 200});
  CHECK(size_of(with_orientation(pixels, 8, true)) == pm::Size{200, 150});
}

TEST_CASE("image door: what a header is refused for, decoding refuses, too") {
  const TemporaryFolder folder;
  const auto header_refusal = [&](const std::string& bytes, const pm::ImageLimits& limits = {}) -> std::string {
    const auto file = folder.write("picture", bytes);
    try {
      pm::read_image_header(file, limits);
    } catch (const pm::DataError& error) {
      return error.what();
    }
    return "";
  };
  for (const std::string& whole : {pm::encode_png(pattern(24, 16)), jpeg(gradient(24, 16))}) {
    CHECK(header_refusal(whole).empty());
    for (std::size_t size = 0; size < whole.size(); size += 7) {
      const std::string cut = whole.substr(0, size);
      if (!header_refusal(cut).empty()) CHECK(!refusal(cut).empty());
      std::string changed = whole;
      changed[size] = static_cast<char>(changed[size] ^ 0x5a);
      if (!header_refusal(changed).empty()) CHECK(!refusal(changed).empty());
    }
    CHECK(contains(header_refusal(whole.substr(0, 20)), "picture: expected a whole "));
    CHECK(contains(header_refusal(whole, {.max_pixels = 24 * 16 - 1}), "got 24 x 16"));
    CHECK(contains(header_refusal(whole, {.max_file_bytes = whole.size() - 1}), " bytes, got "));
  }
  CHECK(contains(header_refusal(""), "got an empty file"));
  CHECK(contains(header_refusal("GIF89a, and more"), "got a GIF image; convert it"));
  CHECK_THROWS_AS(pm::read_image_header(folder / "none"), pm::DataError);
}

TEST_CASE("image door: other formats are refused by name") {
  const std::vector<std::pair<std::string, std::string>> files{{"", "an empty file"},
                                                               {"x", "no image format"},
                                                               {"\xff\xd8", "no image format"},
                                                               {"GIF89a....", "GIF"},
                                                               {"BM......", "BMP"},
                                                               {"RIFF....WEBPVP8 ", "WebP"},
                                                               {std::string("II*\0....", 8), "TIFF"},
                                                               {"#?RADIANCE\n", "HDR"},
                                                               {"P5\n2 2\n65535\n", "PNM"},
                                                               {std::string("\0\0\0\x1c", 4) + "ftypheic", "HEIC"},
                                                               {std::string("\0\0\0\x1c", 4) + "ftypavif", "AVIF"},
                                                               {"8BPS..", "Photoshop"},
                                                               {"%PDF-1.7", "PDF"}};
  for (const auto& [file, format] : files) {
    const std::string& name = format;  // Clang 14 cannot capture a structured binding
    CAPTURE(name);
    CHECK(contains(refusal(file), name));
    CHECK(contains(refusal(file), "picture: expected a JPEG or PNG image"));
  }
}

TEST_CASE("read_image: a missing file, a directory, a FIFO and a huge file are refused by name") {
  const TemporaryFolder folder;
  const auto message = [](const std::filesystem::path& path, const pm::ImageLimits& limits = {}) -> std::string {
    try {
      pm::read_image(path, limits);
    } catch (const pm::DataError& error) {
      return error.what();
    }
    return "";
  };
  CHECK(contains(message(folder / "none.jpg"), "none.jpg"));
  CHECK(contains(message(folder.path()), folder.path().string()));
  REQUIRE(mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK(contains(message(folder / "fifo"), "fifo"));
  pm::write_png(folder / "a.png", pattern(20, 20));
  CHECK(contains(message(folder / "a.png", {.max_file_bytes = 10}), "a.png: expected at most 10 bytes"));
}

}  // namespace image_io_test
