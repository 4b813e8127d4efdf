// The definitions of base/npy.hpp.
#pragma once

#include <posemachine/base/npy.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE std::string npy_bytes(const Tensor& tensor) {
  using namespace std::string_view_literals;
  std::string shape;
  for (const std::int64_t extent : tensor.shape) shape += (shape.empty() ? "" : ", ") + std::to_string(extent);
  if (tensor.shape.size() == 1) shape += ",";  // a tuple of one, to Python
  const bool little = std::endian::native == std::endian::little;
  std::string header =
      std::string("{'descr': '") + (little ? '<' : '>') + "f4', 'fortran_order': False, 'shape': (" + shape + "), }";
  constexpr std::size_t before = 10;  // bytes: magic, version, length of the header
  header.append((64 - (before + header.size() + 1) % 64) % 64, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\0"sv);
  bytes += static_cast<char>(header.size() & 0xFF);
  bytes += static_cast<char>(header.size() >> 8);
  bytes += header;
  return bytes.append(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size() * sizeof(float));
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
