// copy_channels: some channels of one map to a position in another, in any layout.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace posemachine::inline POSEMACHINE_BUILD {

/// A map in memory as a kernel of ours sees it.
struct MapMemory {
  float* data = nullptr;
  int n = 1, c = 1, h = 1, w = 1;
  int block = 0;  // channels that stand together; 0: plain

  static MapMemory of(const ScheduledValue& value, int block, float* data) {
    const int together = value.layout == Layout::plain ? 0 : value.layout == Layout::blocked ? block : value.c;
    return {data, value.n, value.c, value.h, value.w, together};
  }
  std::size_t cells() const { return static_cast<std::size_t>(h) * static_cast<std::size_t>(w); }
  std::size_t padded_channels() const {
    const auto size = static_cast<std::size_t>(block);
    const auto count = static_cast<std::size_t>(c);
    return block == 0 ? count : (count + size - 1) / size * size;
  }
  /// The first cell of a channel, and how far its cells are apart.
  float* channel(int image, int which) const {
    float* base = data + static_cast<std::size_t>(image) * padded_channels() * cells();
    if (block == 0) return base + static_cast<std::size_t>(which) * cells();
    return base + static_cast<std::size_t>(which / block * block) * cells() + which % block;
  }
  std::size_t cell_step() const { return block == 0 ? 1 : static_cast<std::size_t>(block); }
};

/// dst channels dst_first .. + count - 1 = src channels src_first ...; where the last of dst's channels is written, the
/// padding behind it is zeroed, as every primitive expects.
inline void copy_channels(const MapMemory& src, int src_first, const MapMemory& dst, int dst_first, int count) {
  const std::size_t cells = src.cells();
  for (int image = 0; image < src.n; ++image) {
    int done = 0;
    while (done < count) {
      const int from = src_first + done;
      const int to = dst_first + done;
      const bool aligned = src.block > 0 && src.block == dst.block && from % src.block == 0 && to % dst.block == 0;
      if (aligned && count - done >= src.block) {  // whole blocks are contiguous
        const int blocks = (count - done) / src.block;
        const std::size_t floats = static_cast<std::size_t>(blocks * src.block) * cells;
        std::memcpy(dst.channel(image, to), src.channel(image, from), floats * sizeof(float));
        done += blocks * src.block;
        continue;
      }
      // The channels that lie together in one block of both.
      int together = count - done;
      if (src.block > 0) together = std::min(together, src.block - from % src.block);
      if (dst.block > 0) together = std::min(together, dst.block - to % dst.block);
      if (src.block == 0 || dst.block == 0) together = 1;
      const float* in = src.channel(image, from);
      float* out = dst.channel(image, to);
      const std::size_t in_step = src.cell_step();
      const std::size_t out_step = dst.cell_step();
      for (std::size_t cell = 0; cell < cells; ++cell) {
        for (int k = 0; k < together; ++k)
          out[cell * out_step + static_cast<std::size_t>(k)] = in[cell * in_step + static_cast<std::size_t>(k)];
      }
      done += together;
    }
    if (dst.block > 0 && dst_first + count == dst.c && dst.c % dst.block != 0) {
      float* out = dst.channel(image, dst.c - dst.c % dst.block);
      for (std::size_t cell = 0; cell < cells; ++cell) {
        for (int k = dst.c % dst.block; k < dst.block; ++k)
          out[cell * dst.cell_step() + static_cast<std::size_t>(k)] = 0;
      }
    }
  }
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
