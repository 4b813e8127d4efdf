// Protocol buffers, as far as writing them goes: numbered fields of varints, floats, doubles, bytes and messages.
#pragma once

#include <posemachine/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace detail {

/// Appends an unsigned number's bytes, the lowest first.
template <class Unsigned>
void append_little_endian(std::string& bytes, Unsigned value) {
  for (std::size_t i = 0; i < sizeof value; ++i) bytes.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

/// The bytes of one message, field by field. Source: the Protocol Buffers encoding guide.
class ProtobufMessage {
 public:
  ProtobufMessage& integer(int field, std::int64_t value);
  ProtobufMessage& real(int field, float value);
  // Of another name than real(): a field's width must not hang on how its value was computed.
  ProtobufMessage& double_real(int field, double value);
  ProtobufMessage& text(int field, std::string_view value);
  ProtobufMessage& message(int field, const ProtobufMessage& value) { return text(field, value.bytes_); }

  const std::string& bytes() const { return bytes_; }

 private:
  static constexpr int varint_type = 0;
  static constexpr int fixed64_type = 1;
  static constexpr int bytes_type = 2;
  static constexpr int fixed32_type = 5;

  void tag(int field, int type) { varint(static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(type)); }
  void varint(std::uint64_t value);

  std::string bytes_;
};

}  // namespace detail
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/base/protobuf.ipp>
#endif
