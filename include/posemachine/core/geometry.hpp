// Points, boxes, sizes and affine maps of the image plane. x before y; height before width.
#pragma once

#include <posemachine/core/config.hpp>

#include <cmath>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Height and width in cells of a map or pixels of an image.
struct Size {
  int height = 0;
  int width = 0;
  friend constexpr bool operator==(const Size&, const Size&) = default;
};

/// A position in an image, in pixels. The centre of the top left pixel is (0, 0).
struct Point {
  double x = 0;
  double y = 0;
  friend constexpr bool operator==(const Point&, const Point&) = default;
};

constexpr Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
constexpr Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
constexpr Point operator*(double s, Point p) { return {s * p.x, s * p.y}; }

inline double distance(Point a, Point b) { return std::hypot(a.x - b.x, a.y - b.y); }

/// A rectangle: its left top corner, width and height, in pixels.
struct Box {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
  friend constexpr bool operator==(const Box&, const Box&) = default;
};

constexpr Point centre(const Box& box) { return {box.x + box.width / 2, box.y + box.height / 2}; }

/// An affine map of the plane: (x, y) -> (a x + b y + c, d x + e y + f).
struct Affine {
  double a = 1, b = 0, c = 0;
  double d = 0, e = 1, f = 0;
};

constexpr Point apply(const Affine& m, Point p) { return {m.a * p.x + m.b * p.y + m.c, m.d * p.x + m.e * p.y + m.f}; }

/// The map that applies `inner` first, then `outer`.
constexpr Affine compose(const Affine& outer, const Affine& inner) {
  return {outer.a * inner.a + outer.b * inner.d,           outer.a * inner.b + outer.b * inner.e,
          outer.a * inner.c + outer.b * inner.f + outer.c, outer.d * inner.a + outer.e * inner.d,
          outer.d * inner.b + outer.e * inner.e,           outer.d * inner.c + outer.e * inner.f + outer.f};
}

/// The inverse map. The determinant a e - b d must not be 0.
constexpr Affine inverse(const Affine& m) {
  const double det = m.a * m.e - m.b * m.d;
  return {m.e / det, -m.b / det, (m.b * m.f - m.e * m.c) / det, -m.d / det, m.a / det, (m.d * m.c - m.a * m.f) / det};
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
