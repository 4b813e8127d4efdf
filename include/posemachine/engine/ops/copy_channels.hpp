// copy_channels: some channels of one map to a position in another, in any layout.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/map.hpp>

#include <algorithm>
#include <cstddef>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

/// dst channels dst_first .. + count - 1 = src channels src_first ...; where the last of dst's channels is written, the
/// padding behind it is zeroed, as every primitive expects.
template <class Number>
void copy_channels(const MapView<Number>& src, int src_first, const MapView<Number>& dst, int dst_first, int count) {
  const int src_block = src.together();
  const int dst_block = dst.together();
  const std::size_t cells = src.cells();
  for (int image = 0; image < src.n; ++image) {
    int done = 0;
    while (done < count) {
      const int from = src_first + done;
      const int to = dst_first + done;
      const bool aligned = src_block == dst_block && from % src_block == 0 && to % dst_block == 0;
      if (aligned && count - done >= src_block) {  // whole blocks are contiguous
        const int channels = (count - done) / src_block * src_block;
        std::copy_n(src.channel(image, from), static_cast<std::size_t>(channels) * cells, dst.channel(image, to));
        done += channels;
        continue;
      }
      // The channels that lie together in one block of both.
      const int together = std::min({count - done, src_block - from % src_block, dst_block - to % dst_block});
      const Number* in = src.channel(image, from);
      Number* out = dst.channel(image, to);
      const std::size_t in_step = src.cell_step();
      const std::size_t out_step = dst.cell_step();
      for (std::size_t cell = 0; cell < cells; ++cell) {
        for (int k = 0; k < together; ++k)
          out[cell * out_step + static_cast<std::size_t>(k)] = in[cell * in_step + static_cast<std::size_t>(k)];
      }
      done += together;
    }
    if (dst_first + count == dst.c && dst.c % dst_block != 0) {
      Number* out = dst.channel(image, dst.c - dst.c % dst_block);
      for (std::size_t cell = 0; cell < cells; ++cell) {
        for (int k = dst.c % dst_block; k < dst_block; ++k)
          out[cell * dst.cell_step() + static_cast<std::size_t>(k)] = Number{};
      }
    }
  }
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
