// Anti-aliased lines, discs, boxes and text on pictures.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/pose/font.hpp>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Mixes two colours: `share` 0 is `from`, 1 is `to`.
Rgb mix(Rgb from, Rgb to, double share);

/// Covers a pixel by `opacity` (0 to 1) with a colour. The pixel must be in the image.
void blend_pixel(Image& image, int x, int y, Rgb colour, double opacity);

namespace detail {

/// A line between two points; both may be one.
struct Segment {
  Point from, to;
};

/// Nothing is drawn for NaN or for what is so far away that a square of it overflows.
inline bool drawable(Point p) { return std::abs(p.x) < 1e9 && std::abs(p.y) < 1e9; }

/// Blends `colour` into the pixels of [low, high]; distance_outside(pixel centre) is negative inside the shape, and a
/// pixel within half a pixel of the edge is covered in part.
template <class Distance>
void fill_shape(Image& image, Point low, Point high, Rgb colour, double opacity, Distance&& distance_outside) {
  const int first_x = static_cast<int>(std::clamp(std::floor(low.x), 0.0, double(image.width)));
  const int first_y = static_cast<int>(std::clamp(std::floor(low.y), 0.0, double(image.height)));
  const int last_x = static_cast<int>(std::clamp(std::ceil(high.x), -1.0, image.width - 1.0));
  const int last_y = static_cast<int>(std::clamp(std::ceil(high.y), -1.0, image.height - 1.0));
  for (int y = first_y; y <= last_y; ++y) {
    for (int x = first_x; x <= last_x; ++x) {
      const double coverage = std::clamp(0.5 - distance_outside(Point{double(x), double(y)}), 0.0, 1.0);
      if (coverage > 0) blend_pixel(image, x, y, colour, coverage * opacity);
    }
  }
}

/// Strokes of one width as one shape: where they overlap nothing is blended twice.
void draw_strokes(Image& image, const std::vector<Segment>& strokes, double width_px, Rgb colour, double opacity);

/// Bytes that continue a UTF-8 character: they take no place, its first byte is drawn as a frame.
constexpr bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

}  // namespace detail

/// Draws a line with round ends. Shapes: points and width in pixels, opacity 0 to 1. What lies outside the picture is
/// cut off; a point that is not finite draws nothing.
void draw_line(Image& image, Point from, Point to, double width_px, Rgb colour, double opacity = 1);

/// Draws a filled disc. Shapes as for draw_line.
void draw_disc(Image& image, Point centre, double radius_px, Rgb colour, double opacity = 1);

/// Draws a circle's line of a width around a radius. Shapes as for draw_line.
void draw_circle(Image& image, Point centre, double radius_px, double width_px, Rgb colour, double opacity = 1);

/// Fills whole pixels: x to x + width - 1, y to y + height - 1, cut off at the picture's edges.
void fill_rectangle(Image& image, int x, int y, int width, int height, Rgb colour, double opacity = 1);

/// Copies a picture into another, its left top pixel to (x, y), cut off at the edges.
void draw_image(Image& image, const Image& picture, int x, int y);

/// The width of a text in pixels, `height_px` being the height of a capital letter.
double text_width(std::string_view text, double height_px);

/// Draws one line of text, its first capital's left top corner at `left_top`. Shapes: height_px of a capital letter (at
/// least 7 to be read). ASCII; other characters are frames.
void draw_text(Image& image, Point left_top, std::string_view text, double height_px, Rgb colour, double opacity = 1);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/draw.ipp>
#endif
