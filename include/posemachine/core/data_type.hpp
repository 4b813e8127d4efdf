// DataType: the types of numbers that maps and tensors hold, and the two 16-bit floats among them.
#pragma once

#include <posemachine/core/config.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Of the elements of a map or a tensor.
enum class DataType : std::uint8_t { f32, bf16, f16, s8, u8, s32 };

inline constexpr std::array<std::string_view, 6> data_type_names{"f32", "bf16", "f16", "s8", "u8", "s32"};

constexpr std::string_view name_of(DataType type) { return data_type_names[static_cast<std::size_t>(type)]; }

/// The type of that name, if there is one.
constexpr std::optional<DataType> data_type_of(std::string_view name) {
  for (std::size_t i = 0; i < data_type_names.size(); ++i) {
    if (data_type_names[i] == name) return static_cast<DataType>(i);
  }
  return std::nullopt;
}

/// Bytes per element.
constexpr std::size_t size_of(DataType type) {
  switch (type) {
    case DataType::f32:
    case DataType::s32: return 4;
    case DataType::bf16:
    case DataType::f16: return 2;
    case DataType::s8:
    case DataType::u8: break;
  }
  return 1;
}

/// Some of the types.
class DataTypes {
 public:
  constexpr DataTypes(std::initializer_list<DataType> types) {
    for (const DataType type : types) bits_ |= 1u << static_cast<unsigned>(type);
  }
  constexpr bool contains(DataType type) const { return (bits_ >> static_cast<unsigned>(type) & 1u) != 0; }
  /// "f32, bf16".
  std::string text() const {
    std::string names;
    for (std::size_t i = 0; i < data_type_names.size(); ++i) {
      if (contains(static_cast<DataType>(i))) names += (names.empty() ? "" : ", ") + std::string(data_type_names[i]);
    }
    return names;
  }

 private:
  unsigned bits_ = 0;
};

namespace detail {

// `bits` without its last `count`, rounded to the nearest, ties to even.
constexpr std::uint32_t round_off(std::uint32_t bits, int count) {
  const std::uint32_t half = (std::uint32_t{1} << (count - 1)) - 1;
  return (bits + half + (bits >> count & 1)) >> count;
}

}  // namespace detail

/// The upper half of a float: its range, 8 significant bits. Source: Intel, BFLOAT16 Hardware Numerics Definition
/// (2018).
struct BFloat16 {
  std::uint16_t bits = 0;

  constexpr BFloat16() = default;
  /// The nearest, ties to even; what is beyond the largest one becomes an infinity. A NaN stays one.
  constexpr explicit BFloat16(float value) {
    const auto whole = std::bit_cast<std::uint32_t>(value);
    const bool is_nan = (whole & 0x7fffffff) > 0x7f800000;
    bits = static_cast<std::uint16_t>(is_nan ? whole >> 16 | 0x40 : detail::round_off(whole, 16));
  }
  /// Exact.
  constexpr explicit operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
  friend constexpr bool operator==(BFloat16, BFloat16) = default;
};

/// IEEE 754 binary16: up to 65,504, 11 significant bits.
struct Float16 {
  std::uint16_t bits = 0;

  constexpr Float16() = default;
  /// The nearest, ties to even; what is beyond the largest one becomes an infinity. A NaN stays one.
  constexpr explicit Float16(float value) {
    const auto whole = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t sign = whole >> 16 & 0x8000;
    const std::uint32_t size = whole & 0x7fffffff;
    std::uint32_t result = 0;
    if (size > 0x7f800000) {
      result = 0x7e00;  // a NaN
    } else if (size >= 0x477ff000) {
      result = 0x7c00;  // rounds to 65,536 or more
    } else if (size >= 0x38800000) {
      result = detail::round_off(size - 0x38000000, 13);  // normal: the exponent's bias is 15 instead of 127
    } else if (size > 0x33000000) {
      // Subnormal, a multiple of 2^-24: the significand moved to where that is 1.
      const std::uint32_t significand = (size & 0x7fffff) | 0x800000;
      result = detail::round_off(significand, 126 - static_cast<int>(size >> 23));
    }
    bits = static_cast<std::uint16_t>(sign | result);
  }
  /// Exact.
  constexpr explicit operator float() const {
    const std::uint32_t sign = std::uint32_t{bits & 0x8000u} << 16;
    const std::uint32_t size = bits & 0x7fffu;
    if (size >= 0x7c00) return std::bit_cast<float>(sign | 0x7f800000 | (size & 0x3ff) << 13);
    if (size >= 0x400) return std::bit_cast<float>(sign | ((size << 13) + 0x38000000));
    const float subnormal = static_cast<float>(size) * 0x1p-24f;
    return sign != 0 ? -subnormal : subnormal;
  }
  friend constexpr bool operator==(Float16, Float16) = default;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
