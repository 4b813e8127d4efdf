// Digest: whether two things are the same, in 16 letters.
#pragma once

#include <posemachine/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Tells contents apart that differ by chance or mistake; who wants to can make two that it takes for one.
/// Source: FNV-1a, 64 bits.
class Digest {
 public:
  /// Goes on with the bytes; what was added at once or in pieces is the same.
  void add(const void* bytes, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      hash_ = (hash_ ^ static_cast<const unsigned char*>(bytes)[i]) * 0x100000001b3ULL;
    }
  }
  void add(std::string_view text) { add(text.data(), text.size()); }

  /// "0123456789abcdef".
  std::string text() const {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (int shift = 60; shift >= 0; shift -= 4) text += digits[(hash_ >> shift) & 15];
    return text;
  }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
