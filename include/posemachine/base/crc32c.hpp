// CRC-32C: the checksum of records in event files.
#pragma once

#include <posemachine/core/config.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

inline constexpr std::array<std::uint32_t, 256> crc32c_table = [] {
  constexpr std::uint32_t polynomial = 0x82F63B78;  // 0x1EDC6F41, its lowest power in the highest bit
  std::array<std::uint32_t, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    auto remainder = static_cast<std::uint32_t>(i);
    for (int bit = 0; bit < 8; ++bit) remainder = remainder >> 1 ^ (remainder & 1 ? polynomial : 0);
    table[i] = remainder;
  }
  return table;
}();

}  // namespace detail

/// The CRC-32C of the bytes. Source: RFC 3720 (iSCSI), 12.1; the polynomial is Castagnoli's (1993).
constexpr std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t remainder = 0xFFFFFFFF;
  for (const char byte : bytes) {
    remainder = remainder >> 8 ^ detail::crc32c_table[(remainder ^ static_cast<unsigned char>(byte)) & 0xFF];
  }
  return ~remainder;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
