// Zeroed memory for maps, weights and gradients: aligned, and on large pages where there is enough of it.
#pragma once

#include <posemachine/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

inline constexpr std::size_t large_page_bytes = std::size_t{2} << 20;

// A map of many channels is read in as many places at once: on pages of 4 KiB their addresses do not fit the
// processor's table (TLB). A hint; a system may lack large pages.
inline void prefer_large_pages([[maybe_unused]] std::byte* memory, [[maybe_unused]] std::size_t bytes) {
#ifdef __linux__
  const std::size_t whole = bytes / large_page_bytes * large_page_bytes;
  if (whole > 0) madvise(memory, whole, MADV_HUGEPAGE);
#endif
}

template <class T>
struct FreeAligned {
  std::size_t alignment = 64;
  void operator()(T* memory) const { ::operator delete[](memory, std::align_val_t{alignment}); }
};

}  // namespace detail

/// Owns its memory.
template <class T>
using AlignedArray = std::unique_ptr<T[], detail::FreeAligned<T>>;

/// `count` zeros, aligned to 64 bytes at least. Errors: std::bad_alloc.
template <class T>
AlignedArray<T> make_aligned(std::size_t count) {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
  if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_array_new_length();
  const std::size_t bytes = count * sizeof(T);
  const std::size_t alignment = bytes >= detail::large_page_bytes ? detail::large_page_bytes : 64;
  auto* memory = static_cast<std::byte*>(::operator new[](bytes, std::align_val_t{alignment}));
  if (alignment == detail::large_page_bytes) detail::prefer_large_pages(memory, bytes);
  std::memset(memory, 0, bytes);
  return AlignedArray<T>(reinterpret_cast<T*>(memory), {alignment});
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
