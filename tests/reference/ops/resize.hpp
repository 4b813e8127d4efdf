// The oracle's resize, nearest and bilinear.
#pragma once

#include "../call.hpp"

#include <posemachine/graph/ops/resize.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace posemachine::reference {

// The share that src cell `from` has in dst cell `to` along one side: a triangle around the cell's centre, with what
// falls beyond the border given to the outermost cells.
inline double bilinear_share(int from, int to, int src, int scale) {
  const double position = (to + 0.5) / scale - 0.5;
  if (from == 0 && position <= 0) return 1;
  if (from == src - 1 && position >= src - 1) return 1;
  if (position <= 0 || position >= src - 1) return 0;
  return std::max(0.0, 1 - std::abs(position - from));
}

inline double nearest_share(int from, int to, int, int scale) { return to / scale == from ? 1 : 0; }

// Calls f(image, c, src y, src x, dst y, dst x, share) for every pair of cells.
template <class Share, class F>
void for_each_share(const Array& src, const Array& dst, int scale, const Share& share, const F& f) {
  for_each_element(dst, [&](int image, int c, int y, int x) {
    for (int src_y = 0; src_y < src.h; ++src_y) {
      const double row = share(src_y, y, src.h, scale);
      if (row == 0) continue;
      for (int src_x = 0; src_x < src.w; ++src_x) {
        const double both = row * share(src_x, x, src.w, scale);
        if (both != 0) f(image, c, src_y, src_x, y, x, both);
      }
    }
  });
}

template <double (*Share)(int, int, int, int)>
void resize(const Call& call) {
  const int scale = unpack<ResizeOptions>(call.node().options).scale;
  for_each_share(call.src(0), *call.dst, scale, Share,
                 [&](int image, int c, int src_y, int src_x, int y, int x, double share) {
                   call.dst->at(image, c, y, x) += share * call.src(0).at(image, c, src_y, src_x);
                 });
}

template <double (*Share)(int, int, int, int)>
void resize_backward(const Call& call) {
  const int scale = unpack<ResizeOptions>(call.node().options).scale;
  for_each_share(*call.dst, call.src(0), scale, Share,
                 [&](int image, int c, int src_y, int src_x, int y, int x, double share) {
                   call.dst->at(image, c, src_y, src_x) += share * call.src(0).at(image, c, y, x);
                 });
}

inline constexpr std::array resize_reference{
    ReferenceOp{&resize_nearest_op, resize<nearest_share>},
    ReferenceOp{&resize_bilinear_op, resize<bilinear_share>},
    ReferenceOp{&resize_nearest_backward_op, resize_backward<nearest_share>},
    ReferenceOp{&resize_bilinear_backward_op, resize_backward<bilinear_share>},
};

}  // namespace posemachine::reference
