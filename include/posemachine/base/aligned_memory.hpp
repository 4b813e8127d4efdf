// Zeroed memory for maps, weights and gradients: aligned, and on large pages where there is enough of it.
#pragma once

#include <posemachine/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

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

struct FreeAligned {
  void* block = nullptr;  // what the aligned memory is a part of
  template <class T>
  void operator()(T*) const {
    std::free(block);
  }
};

}  // namespace detail

/// Owns its memory.
template <class T>
using AlignedArray = std::unique_ptr<T[], detail::FreeAligned>;

/// `count` zeros, aligned to 64 bytes at least. Large arrays cost no memory before they are written.
/// Errors: std::bad_alloc.
template <class T>
AlignedArray<T> make_aligned(std::size_t count) {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
  const std::size_t most = std::numeric_limits<std::size_t>::max() - detail::large_page_bytes;
  if (count > most / sizeof(T)) throw std::bad_array_new_length();
  const std::size_t bytes = count * sizeof(T);
  const std::size_t alignment = bytes >= detail::large_page_bytes ? detail::large_page_bytes : 64;
  void* const block = std::calloc(bytes + alignment, 1);  // of large blocks, pages that are zero and not there yet
  if (block == nullptr) throw std::bad_alloc();
  void* aligned = block;
  std::size_t space = bytes + alignment;
  std::align(alignment, bytes, aligned, space);
  if (alignment == detail::large_page_bytes) detail::prefer_large_pages(static_cast<std::byte*>(aligned), bytes);
  return AlignedArray<T>(static_cast<T*>(aligned), {block});
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
