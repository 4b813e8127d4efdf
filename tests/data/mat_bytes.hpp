// Values of MATLAB v5 files, byte by byte, of either byte order. Source: MathWorks, "MAT-File Format", level 5.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mat_bytes {

/// Bytes of an array element, its tag included, for a place in a cell, a struct or a file.
class Writer {
 public:
  explicit Writer(bool little_endian = true) : little_(little_endian) {}

  std::string numbers(const std::vector<double>& values, const std::string& name = "") const {
    std::string data;
    for (const double value : values) put(data, std::bit_cast<std::uint64_t>(value), 8);
    return array(6, {1, values.size()}, piece(9, data), name);
  }
  std::string number(double value) const { return numbers({value}); }

  /// A number in a single byte within its tag, as MATLAB stores small ones.
  std::string small_number(unsigned char value) const {
    std::string tag;
    put(tag, 1U << 16 | 2U, 4);
    tag += static_cast<char>(value);
    tag.resize(8);
    return array(6, {1, 1}, tag);
  }

  std::string text(const std::string& letters) const {
    std::string data;
    for (const char letter : letters) put(data, static_cast<unsigned char>(letter), 2);
    return array(4, {1, letters.size()}, piece(4, data));
  }

  /// [], as a value of a cell or a field.
  std::string none() const { return array(6, {0, 0}, piece(9, "")); }

  /// The same as MATLAB writes it where nothing was ever assigned: a tag alone.
  std::string nothing() const { return piece(14, ""); }

  std::string cells(const std::vector<std::string>& values) const {
    std::string data;
    for (const std::string& value : values) data += value;
    return array(1, {1, values.size()}, data);
  }

  /// Values by struct, in the order of the fields.
  std::string structs(const std::vector<std::string>& fields, const std::vector<std::vector<std::string>>& values,
                      const std::string& name = "") const {
    constexpr std::size_t longest = 32;  // as MATLAB has it
    std::string length;
    put(length, 4U << 16 | 5U, 4), put(length, longest, 4);
    std::string names;
    for (std::string field : fields) {
      field.resize(longest);
      names += field;
    }
    std::string data = length + piece(1, names);
    for (const std::vector<std::string>& each : values) {
      for (const std::string& value : each) data += value;
    }
    return array(2, {1, values.size()}, data, name);
  }
  std::string one(const std::vector<std::pair<std::string, std::string>>& members, const std::string& name = "") const {
    std::vector<std::string> fields, values;
    for (const auto& [field, value] : members) fields.push_back(field), values.push_back(value);
    return structs(fields, {values}, name);
  }

  /// A file of these variables.
  std::string file(const std::string& variables) const {
    std::string head = "MATLAB 5.0 MAT-file";
    head.resize(124, ' ');
    put(head, 0x100, 2);
    return head + (little_ ? "IM" : "MI") + variables;
  }

 private:
  void put(std::string& to, std::uint64_t value, int bytes) const {
    for (int i = 0; i < bytes; ++i) to += static_cast<char>(value >> (8 * (little_ ? i : bytes - 1 - i)) & 255U);
  }

  std::string piece(std::uint32_t type, const std::string& data) const {
    std::string bytes;
    put(bytes, type, 4), put(bytes, data.size(), 4);
    bytes += data;
    bytes.resize((bytes.size() + 7) / 8 * 8);
    return bytes;
  }

  std::string array(std::uint32_t class_type, const std::vector<std::size_t>& dims, const std::string& data,
                    const std::string& name = "") const {
    std::string flags, extents;
    put(flags, class_type, 4), put(flags, 0, 4);
    for (const std::size_t extent : dims) put(extents, extent, 4);
    return piece(14, piece(6, flags) + piece(5, extents) + piece(1, name) + data);
  }

  bool little_;
};

}  // namespace mat_bytes
