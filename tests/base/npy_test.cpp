// npy_bytes against the format's definition, byte by byte.
#include <posemachine/base/npy.hpp>
#include <posemachine/core/tensor.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace npy_test {

namespace pm = posemachine;

namespace {

std::size_t header_size(const std::string& bytes) {
  return static_cast<unsigned char>(bytes[8]) + 256u * static_cast<unsigned char>(bytes[9]);
}

}  // namespace

TEST_CASE("npy_bytes: magic, version 1.0, a header to a multiple of 64 with a line feed last, then the values") {
  pm::Tensor tensor(pm::Shape{2, 3, 1});
  for (std::size_t i = 0; i < 6; ++i) tensor.values[i] = 0.5f + static_cast<float>(i);
  const std::string bytes = pm::npy_bytes(tensor);
  CHECK(bytes.substr(0, 8) == std::string("\x93NUMPY\x01\x00", 8));
  const std::string header = bytes.substr(10, header_size(bytes));
  const std::string dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 1), }";
  CHECK(header.substr(0, dictionary.size()) == dictionary);
  CHECK(header.find_first_not_of(' ', dictionary.size()) == header.size() - 1);
  CHECK(header.back() == '\n');
  CHECK((10 + header.size()) % 64 == 0);
  REQUIRE(bytes.size() == 10 + header.size() + 6 * 4);
  for (std::size_t i = 0; i < 6; ++i) {  // little-endian IEEE 754
    std::uint32_t bits = 0;
    for (std::size_t b = 4; b-- > 0;)
      bits = bits << 8 | static_cast<unsigned char>(bytes[10 + header.size() + 4 * i + b]);
    float value = 0;
    std::memcpy(&value, &bits, 4);
    CHECK(value == tensor.values[i]);
  }
}

TEST_CASE("npy_bytes: no extent, one, and headers about every multiple of 64") {
  CHECK(pm::npy_bytes(pm::Tensor(pm::Shape{}, 3.0f)).find("'shape': (), }") != std::string::npos);
  CHECK(pm::npy_bytes(pm::Tensor(pm::Shape{5})).find("'shape': (5,), }") != std::string::npos);
  CHECK(pm::npy_bytes(pm::Tensor(pm::Shape{0, 7})).find("'shape': (0, 7), }") != std::string::npos);
  for (std::size_t extents = 0; extents < 60; ++extents) {
    const std::string bytes = pm::npy_bytes(pm::Tensor(pm::Shape(extents, 1)));
    CHECK((10 + header_size(bytes)) % 64 == 0);
    CHECK(bytes.size() == 10 + header_size(bytes) + 4);
    CHECK(bytes[9 + header_size(bytes)] == '\n');
  }
}

}  // namespace npy_test
