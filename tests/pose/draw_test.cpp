// Lines, discs, text and pasted pictures.
#include <posemachine/pose/draw.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <string>

namespace draw_test {

namespace pm = posemachine;

namespace {

constexpr pm::Rgb white{255, 255, 255};

/// Sum of a white shape's coverage on black, in pixels.
double area(const pm::Image& image) {
  double sum = 0;
  for (const auto value : image.pixels) sum += value;
  return sum / 255 / 3;
}

}  // namespace

TEST_CASE("draw_disc: its area is that of the circle, wherever its centre") {
  for (const double radius : {3.0, 7.5}) {
    for (const double shift : {0.0, 0.25, 0.5}) {
      pm::Image image(31, 31);
      pm::draw_disc(image, {15 + shift, 15 - shift}, radius, white);
      CHECK(area(image) == doctest::Approx(std::numbers::pi * radius * radius).epsilon(0.02));
    }
  }
}

TEST_CASE("draw_line: a horizontal line of width 3 covers three full rows and its ends are round") {
  pm::Image image(40, 11);
  pm::draw_line(image, {10, 5}, {29, 5}, 3, white);
  for (int y = 4; y <= 6; ++y) CHECK(image.at(20, y)[0] == 255);
  CHECK(image.at(20, 3)[0] == 0);
  CHECK(image.at(20, 7)[0] == 0);
  CHECK(image.at(7, 5)[0] == 0);
  CHECK(image.at(9, 5)[0] == 255);
  CHECK(area(image) == doctest::Approx(19 * 3 + std::numbers::pi * 1.5 * 1.5).epsilon(0.03));
}

TEST_CASE("draw_line: a slanted line has the area of its length times its width") {
  pm::Image image(60, 60);
  pm::draw_line(image, {10.3, 12.1}, {47.7, 40.9}, 4, white);
  const double length = std::hypot(37.4, 28.8);
  CHECK(area(image) == doctest::Approx(4 * length + std::numbers::pi * 4).epsilon(0.02));
}

TEST_CASE("draw_circle: the ring's area, and nothing in its middle") {
  pm::Image image(41, 41);
  pm::draw_circle(image, {20, 20}, 12, 3, white);
  CHECK(image.at(20, 20)[0] == 0);
  CHECK(image.at(32, 20)[0] == 255);
  CHECK(area(image) == doctest::Approx(2 * std::numbers::pi * 12 * 3).epsilon(0.02));
}

TEST_CASE("opacity: half a white disc on grey 100 is the mean, and 0 changes nothing") {
  pm::Image image(9, 9, {100, 100, 100});
  pm::draw_disc(image, {4, 4}, 2, white, 0.5);
  CHECK(image.at(4, 4)[0] == 178);  // 177.5 rounded up
  CHECK(image.at(0, 0)[0] == 100);
  pm::Image same(9, 9, {100, 100, 100});
  pm::draw_disc(same, {4, 4}, 2, white, 0);
  CHECK(same.pixels == pm::Image(9, 9, {100, 100, 100}).pixels);
}

TEST_CASE("drawing: what lies outside is cut off, what has no place draws nothing") {
  pm::Image image(8, 6);
  pm::draw_line(image, {-1000, 2}, {1000, 2}, 1, white);
  for (int x = 0; x < 8; ++x) CHECK(image.at(x, 2)[0] == 255);
  pm::Image black(8, 6);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  pm::draw_line(black, {nan, 2}, {4, 2}, 3, white);
  pm::draw_line(black, {0, 0}, {1e300, std::numeric_limits<double>::infinity()}, 3, white);
  pm::draw_circle(black, {nan, 2}, 3, 1, white);
  pm::draw_disc(black, {500, -20}, 3, white);
  pm::draw_image(black, pm::Image(3, 3, white), 20, -5);
  pm::fill_rectangle(black, -9, -9, 5, 5, white);
  CHECK(area(black) == 0);
  pm::Image none;
  pm::draw_disc(none, {0, 0}, 3, white);  // an empty picture stays one
  CHECK(none.pixels.empty());
}

TEST_CASE("draw_image: pixels land where asked, cut off at every edge") {
  pm::Image picture(2, 2);
  for (std::uint8_t i = 0; i < 12; ++i) picture.pixels[i] = static_cast<std::uint8_t>(10 + i);
  pm::Image image(3, 3);
  pm::draw_image(image, picture, 1, 2);
  CHECK(image.at(1, 2)[0] == 10);
  CHECK(image.at(2, 2)[2] == 15);
  pm::draw_image(image, picture, -1, -1);
  CHECK(image.at(0, 0)[0] == 19);
}

TEST_CASE("draw_text: at 7 pixels a letter without slants is exactly its dots, and p hangs below the line") {
  pm::Image image(24, 12);
  pm::draw_text(image, {1, 1}, "LHp", 7, white);
  for (int row = 0; row < pm::glyph_height; ++row) {
    for (int column = 0; column < pm::glyph_advance; ++column) {
      CHECK(image.at(1 + column, 1 + row)[0] == (pm::glyph_dot('L', row, column) ? 255 : 0));
      CHECK(image.at(1 + pm::glyph_advance + column, 1 + row)[0] == (pm::glyph_dot('H', row, column) ? 255 : 0));
      if (pm::glyph_dot('p', row, column)) CHECK(image.at(1 + 2 * pm::glyph_advance + column, 1 + row)[0] == 255);
    }
  }
  CHECK(pm::glyph_dot('L', 0, 0));
  CHECK(pm::glyph_dot('L', 6, 4));
  CHECK_FALSE(pm::glyph_dot('L', 0, 4));
  CHECK(image.at(1 + 2 * pm::glyph_advance, 1 + 8)[0] == 255);
}

TEST_CASE("font: letters, digits and the marks of names and numbers have glyphs of their own") {
  const std::string needed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.,:;/%()+";
  const auto dots = [](char c) {
    std::string text;
    for (int row = 0; row < pm::glyph_height; ++row) {
      for (int column = 0; column < pm::glyph_width; ++column) text += pm::glyph_dot(c, row, column) ? '#' : '.';
    }
    return text;
  };
  for (std::size_t i = 0; i < needed.size(); ++i) {
    CHECK(dots(needed[i]) != dots('\x01'));  // the frame of unknown characters
    CHECK(dots(needed[i]).find('#') != std::string::npos);
    for (std::size_t k = 0; k < i; ++k) CHECK_MESSAGE(dots(needed[i]) != dots(needed[k]), needed[i] << needed[k]);
  }
  CHECK(dots(' ').find('#') == std::string::npos);
}

TEST_CASE("text_width: five dots for one letter, six more for each other; a UTF-8 character counts once") {
  CHECK(pm::text_width("", 7) == 0);
  CHECK(pm::text_width("a", 7) == 5);
  CHECK(pm::text_width("abc", 14) == 34);
  CHECK(pm::text_width("h\xc3\xa9", 7) == pm::text_width("he", 7));
}

}  // namespace draw_test
