// A value of a graph: how many channels, at which resolution, of which type; never its layout or where it is stored.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/data_type.hpp>

#include <numeric>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Input pixels per cell of a map, as a fraction; global values have one cell whatever the image's size.
struct Stride {
  int pixels = 1;
  int cells = 1;
  bool global = false;

  friend constexpr bool operator==(const Stride&, const Stride&) = default;
  constexpr double ratio() const { return static_cast<double>(pixels) / cells; }
};

inline constexpr Stride global_stride{1, 1, true};

inline constexpr int largest_stride_pixels = 1 << 16;  // of a cell; larger than any image
inline constexpr int largest_stride_cells = 1 << 8;    // of a pixel

/// The stride after a window that moves `step` cells of `stride` at a time.
constexpr Stride coarser(Stride stride, int step) {
  if (stride.global) return stride;
  const int divisor = std::gcd(stride.pixels * step, stride.cells);
  return {stride.pixels * step / divisor, stride.cells / divisor, false};
}

/// The stride after an operation with `scale` dst cells for each src cell.
constexpr Stride finer(Stride stride, int scale) {
  if (stride.global) return stride;
  const int divisor = std::gcd(stride.pixels, stride.cells * scale);
  return {stride.pixels / divisor, stride.cells * scale / divisor, false};
}

/// A handle to a value of a graph; meaningful only together with that graph.
struct Value {
  int id = -1;
  friend constexpr bool operator==(const Value&, const Value&) = default;
};

/// What a graph knows of a value.
struct ValueInfo {
  int channels = 0;
  Stride stride;
  DataType type = DataType::f32;
  int producer = -1;  // index of the node that makes it
  int like = -1;      // a gradient: the value whose shape it has
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
