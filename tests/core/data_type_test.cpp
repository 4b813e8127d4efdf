// Types of numbers: the 16-bit floats against their definitions, in double.
#include <posemachine/core/data_type.hpp>
#include <posemachine/core/random.hpp>

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace data_type_test {

using namespace posemachine;

namespace {

// The value of a float with an exponent and a fraction of so many bits, by the definition of IEEE 754.
double defined_value(std::uint16_t bits, int fraction_bits) {
  const int exponent_bits = 15 - fraction_bits;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const double sign = (bits >> 15) != 0 ? -1 : 1;
  const int exponent = (bits & 0x7fff) >> fraction_bits;
  const double fraction = std::ldexp(bits & ((1 << fraction_bits) - 1), -fraction_bits);
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias);
  if (exponent < (1 << exponent_bits) - 1) return sign * std::ldexp(1 + fraction, exponent - bias);
  return fraction == 0 ? sign * std::numeric_limits<double>::infinity() : std::nan("");
}

// Every pattern is its defined value and comes back from it.
template <class Half>
void check_all(int fraction_bits) {
  for (std::uint32_t pattern = 0; pattern < 65536; ++pattern) {
    Half half;
    half.bits = static_cast<std::uint16_t>(pattern);
    const double value = defined_value(half.bits, fraction_bits);
    const auto widened = static_cast<float>(half);
    if (std::isnan(value)) {
      REQUIRE(std::isnan(widened));
      REQUIRE(std::isnan(static_cast<float>(Half(widened))));
    } else {
      REQUIRE(double{widened} == value);
      REQUIRE(std::signbit(widened) == std::signbit(value));
      REQUIRE(Half(widened).bits == half.bits);
    }
  }
}

// No neighbour is nearer, and of two equally near ones the even one was taken.
template <class Half>
void check_nearest(float value, int fraction_bits) {
  CAPTURE(value);
  const Half half(value);
  const int magnitude = half.bits & 0x7fff;
  const int infinity = ((1 << (15 - fraction_bits)) - 1) << fraction_bits;
  // An infinity stands where the next number of that spacing would, as IEEE 754 rounds.
  const auto distance = [&](int bits) {
    const int below = bits == infinity ? bits - 1 : bits;
    double at = std::abs(defined_value(static_cast<std::uint16_t>(below), fraction_bits));
    if (bits == infinity) at += at - std::abs(defined_value(static_cast<std::uint16_t>(below - 1), fraction_bits));
    return std::abs(std::abs(double{value}) - at);
  };
  REQUIRE((half.bits >> 15 != 0) == std::signbit(value));
  for (const int other : {magnitude - 1, magnitude + 1}) {
    if (other < 0 || other > infinity) continue;
    if (magnitude == infinity && std::abs(double{value}) > 2 * std::abs(defined_value(0x7bff, fraction_bits))) continue;
    const bool kept =
        distance(magnitude) < distance(other) || (distance(magnitude) == distance(other) && magnitude % 2 == 0);
    REQUIRE(kept);
  }
}

}  // namespace

TEST_CASE("BFloat16 and Float16: every pattern widens to its defined value and narrows to itself") {
  check_all<BFloat16>(7);
  check_all<Float16>(10);
}

TEST_CASE("BFloat16 and Float16: floats become the nearest one, ties to even, and an infinity beyond the last") {
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    RandomStream random(5, Purpose::test, 0, i);
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random.below(std::uint64_t{1} << 32)));
    if (!std::isfinite(value)) continue;
    check_nearest<BFloat16>(value, 7);
    // Into float16's range: most of a float's exponents are beyond it.
    const float scaled = std::ldexp(value, -std::ilogb(value) - 26 + static_cast<int>(random.below(44)));
    if (std::isfinite(scaled)) check_nearest<Float16>(scaled, 10);
  }
  for (const float tie : {1 + 0x1p-11f, 1 + 3 * 0x1p-11f, 0x1p-25f, 3 * 0x1p-25f, 65520.0f, 65519.996f, 0x1p-14f}) {
    check_nearest<Float16>(tie, 10);
    check_nearest<Float16>(-tie, 10);
  }
  CHECK(std::isinf(static_cast<float>(Float16(65520.0f))));
  CHECK(static_cast<float>(Float16(65519.996f)) == 65504.0f);
  CHECK(static_cast<float>(BFloat16(1 + 0x1p-8f)) == 1.0f);
  CHECK(std::isinf(static_cast<float>(BFloat16(std::numeric_limits<float>::max()))));
  CHECK(std::isnan(static_cast<float>(BFloat16(std::bit_cast<float>(0x7f800001u)))));  // not an infinity
}

TEST_CASE("DataType: names lead back to types, sizes are in bytes, sets hold what they are given") {
  for (const DataType type : {DataType::f32, DataType::bf16, DataType::f16, DataType::s8, DataType::u8, DataType::s32})
    CHECK(data_type_of(name_of(type)) == type);
  CHECK(!data_type_of("F32"));
  CHECK(size_of(DataType::f32) == 4);
  CHECK(size_of(DataType::bf16) == 2);
  CHECK(size_of(DataType::f16) == 2);
  CHECK(size_of(DataType::s8) == 1);
  CHECK(size_of(DataType::u8) == 1);
  CHECK(size_of(DataType::s32) == 4);
  constexpr DataTypes some{DataType::s32, DataType::f32};
  static_assert(some.contains(DataType::f32) && !some.contains(DataType::s8));
  CHECK(some.text() == "f32, s32");
}

}  // namespace data_type_test
