// A reader of event files that knows only the framing, the encoding and the field numbers of event.proto.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace event_reader {

inline std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// CRC-32C by its definition, turned right by 15 bits and moved, as TFRecord says.
inline std::uint32_t masked_crc(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0u);
  }
  return std::rotr(~crc, 15) + 0xA282EAD8u;
}

// The bytes of the records up to the end or to one that is not whole; every checksum must be right.
inline std::vector<std::string> records_of(std::string_view file) {
  std::vector<std::string> records;
  while (file.size() >= 12) {
    const std::uint64_t size = little_endian(file.substr(0, 8));
    REQUIRE(little_endian(file.substr(8, 4)) == masked_crc(file.substr(0, 8)));
    if (file.size() < 16 + size) break;
    records.emplace_back(file.substr(12, size));
    REQUIRE(little_endian(file.substr(12 + size, 4)) == masked_crc(records.back()));
    file.remove_prefix(16 + size);
  }
  return records;
}

// A field of a message: a number's bits, or the bytes of a text or message.
struct Field {
  std::uint64_t number = 0;
  std::uint64_t bits = 0;
  std::string bytes{};
};

inline std::uint64_t take_varint(std::string_view& text) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    REQUIRE_FALSE(text.empty());
    const auto byte = static_cast<unsigned char>(text.front());
    text.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return value;
  }
}

inline std::vector<Field> fields_of(std::string_view text) {
  std::vector<Field> fields;
  while (!text.empty()) {
    const std::uint64_t key = take_varint(text);
    Field field{key >> 3};
    const std::uint64_t type = key & 7;
    if (type == 0) {
      field.bits = take_varint(text);
    } else {
      const std::uint64_t size = type == 2 ? take_varint(text) : type == 1 ? 8 : 4;
      REQUIRE((type == 1 || type == 2 || type == 5));
      REQUIRE(size <= text.size());
      if (type == 2) {
        field.bytes = text.substr(0, size);
      } else {
        field.bits = little_endian(text.substr(0, size));
      }
      text.remove_prefix(size);
    }
    fields.push_back(field);
  }
  return fields;
}

inline Field field_of(std::string_view message, std::uint64_t number) {
  for (const Field& field : fields_of(message)) {
    if (field.number == number) return field;
  }
  FAIL("no field " << number);
  return {};
}

inline bool has_field(std::string_view message, std::uint64_t number) {
  const std::vector<Field> fields = fields_of(message);
  return std::any_of(fields.begin(), fields.end(), [&](const Field& field) { return field.number == number; });
}

// What an event with one summary value says.
inline std::string value_of(std::string_view event) { return field_of(field_of(event, 5).bytes, 1).bytes; }
inline std::string tag_of(std::string_view event) { return field_of(value_of(event), 1).bytes; }
inline float number_of(std::string_view event) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(field_of(value_of(event), 2).bits));
}

}  // namespace event_reader
