// The definitions of base/protobuf.hpp.
#pragma once

#include <posemachine/base/protobuf.hpp>

#include <bit>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE ProtobufMessage& ProtobufMessage::integer(int field, std::int64_t value) {
  tag(field, varint_type);
  varint(static_cast<std::uint64_t>(value));
  return *this;
}

POSEMACHINE_INLINE ProtobufMessage& ProtobufMessage::real(int field, float value) {
  tag(field, fixed32_type);
  append_little_endian(bytes_, std::bit_cast<std::uint32_t>(value));
  return *this;
}

POSEMACHINE_INLINE ProtobufMessage& ProtobufMessage::double_real(int field, double value) {
  tag(field, fixed64_type);
  append_little_endian(bytes_, std::bit_cast<std::uint64_t>(value));
  return *this;
}

POSEMACHINE_INLINE ProtobufMessage& ProtobufMessage::text(int field, std::string_view value) {
  tag(field, bytes_type);
  varint(value.size());
  bytes_.append(value);
  return *this;
}

POSEMACHINE_INLINE void ProtobufMessage::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
  bytes_.push_back(static_cast<char>(value));
}

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
