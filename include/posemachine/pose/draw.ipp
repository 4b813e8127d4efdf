// The definitions of pose/draw.hpp.
#pragma once

#include <posemachine/pose/draw.hpp>

#include <cstddef>
#include <cstdint>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE Rgb mix(Rgb from, Rgb to, double share) {
  Rgb out{};
  for (std::size_t c = 0; c < 3; ++c) {
    out[c] = static_cast<std::uint8_t>(std::clamp(from[c] + (to[c] - from[c]) * share + 0.5, 0.0, 255.0));
  }
  return out;
}

POSEMACHINE_INLINE void blend_pixel(Image& image, int x, int y, Rgb colour, double opacity) {
  std::uint8_t* pixel = image.at(x, y);
  const Rgb mixed = mix({pixel[0], pixel[1], pixel[2]}, colour, opacity);
  std::copy(mixed.begin(), mixed.end(), pixel);
}

namespace detail {

POSEMACHINE_INLINE double distance_to(const Segment& segment, Point p) {
  const Point along = segment.to - segment.from;
  const Point offset = p - segment.from;
  const double length2 = along.x * along.x + along.y * along.y;
  const double t = length2 > 0 ? std::clamp((offset.x * along.x + offset.y * along.y) / length2, 0.0, 1.0) : 0.0;
  return distance(offset, t * along);
}

POSEMACHINE_INLINE void draw_strokes(Image& image, const std::vector<Segment>& strokes, double width_px, Rgb colour,
                                     double opacity) {
  if (strokes.empty()) return;
  Point low = strokes[0].from;
  Point high = low;
  for (const Segment& stroke : strokes) {
    if (!drawable(stroke.from) || !drawable(stroke.to)) return;
    low = {std::min({low.x, stroke.from.x, stroke.to.x}), std::min({low.y, stroke.from.y, stroke.to.y})};
    high = {std::max({high.x, stroke.from.x, stroke.to.x}), std::max({high.y, stroke.from.y, stroke.to.y})};
  }
  const double reach = width_px / 2 + 1;
  fill_shape(image, low - Point{reach, reach}, high + Point{reach, reach}, colour, opacity, [&](Point p) {
    double nearest = distance_to(strokes[0], p);
    for (std::size_t i = 1; i < strokes.size(); ++i) nearest = std::min(nearest, distance_to(strokes[i], p));
    return nearest - width_px / 2;
  });
}

// A glyph's strokes, `dot_px` being the distance of its dots: neighbouring dots are joined, diagonally only where no
// dot stands between, so that letters are smooth at any size and upright strokes sharp at 1 pixel a dot.
POSEMACHINE_INLINE std::vector<Segment> glyph_strokes(char character, Point left_top, double dot_px) {
  std::vector<Segment> strokes;
  const auto at = [&](int row, int column) {
    return left_top + Point{(column + 0.5) * dot_px - 0.5, (row + 0.5) * dot_px - 0.5};
  };
  for (int row = 0; row < glyph_height; ++row) {
    for (int column = 0; column < glyph_width; ++column) {
      if (!glyph_dot(character, row, column)) continue;
      const bool right = glyph_dot(character, row, column + 1);
      const bool below = glyph_dot(character, row + 1, column);
      const bool left = glyph_dot(character, row, column - 1);
      strokes.push_back({at(row, column), at(row, column)});
      if (right) strokes.push_back({at(row, column), at(row, column + 1)});
      if (below) strokes.push_back({at(row, column), at(row + 1, column)});
      if (!right && !below && glyph_dot(character, row + 1, column + 1)) {
        strokes.push_back({at(row, column), at(row + 1, column + 1)});
      }
      if (!left && !below && glyph_dot(character, row + 1, column - 1)) {
        strokes.push_back({at(row, column), at(row + 1, column - 1)});
      }
    }
  }
  return strokes;
}

}  // namespace detail

POSEMACHINE_INLINE void draw_line(Image& image, Point from, Point to, double width_px, Rgb colour, double opacity) {
  detail::draw_strokes(image, {{from, to}}, width_px, colour, opacity);
}

POSEMACHINE_INLINE void draw_disc(Image& image, Point centre, double radius_px, Rgb colour, double opacity) {
  detail::draw_strokes(image, {{centre, centre}}, 2 * radius_px, colour, opacity);
}

POSEMACHINE_INLINE void draw_circle(Image& image, Point centre, double radius_px, double width_px, Rgb colour,
                                    double opacity) {
  if (!detail::drawable(centre)) return;
  const Point reach{radius_px + width_px / 2 + 1, radius_px + width_px / 2 + 1};
  detail::fill_shape(image, centre - reach, centre + reach, colour, opacity,
                     [&](Point p) { return std::abs(distance(p, centre) - radius_px) - width_px / 2; });
}

POSEMACHINE_INLINE void fill_rectangle(Image& image, int x, int y, int width, int height, Rgb colour, double opacity) {
  for (int row = std::max(y, 0); row < std::min(y + height, image.height); ++row) {
    for (int column = std::max(x, 0); column < std::min(x + width, image.width); ++column) {
      blend_pixel(image, column, row, colour, opacity);
    }
  }
}

POSEMACHINE_INLINE void draw_image(Image& image, const Image& picture, int x, int y) {
  for (int row = std::max(0, -y); row < std::min(picture.height, image.height - y); ++row) {
    for (int column = std::max(0, -x); column < std::min(picture.width, image.width - x); ++column) {
      std::copy_n(picture.at(column, row), 3, image.at(x + column, y + row));
    }
  }
}

POSEMACHINE_INLINE double text_width(std::string_view text, double height_px) {
  const auto continued = std::count_if(text.begin(), text.end(), detail::continues_character);
  const auto characters = static_cast<std::ptrdiff_t>(text.size()) - continued;
  const double dots = characters == 0 ? 0 : double(characters) * glyph_advance - (glyph_advance - glyph_width);
  return dots * height_px / capital_height;
}

POSEMACHINE_INLINE void draw_text(Image& image, Point left_top, std::string_view text, double height_px, Rgb colour,
                                  double opacity) {
  const double dot_px = height_px / capital_height;
  for (const char character : text) {
    if (detail::continues_character(character)) continue;
    detail::draw_strokes(image, detail::glyph_strokes(character, left_top, dot_px), dot_px, colour, opacity);
    left_top.x += glyph_advance * dot_px;
  }
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
