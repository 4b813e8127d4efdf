// The headers of a MATLAB v5 file's variables, checked before memory is taken for one.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <zlib.h>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace detail {

/// A variable's header. Source: MathWorks, "MAT-File Format", level 5.
struct MatHeader {
  unsigned class_type = 0;  // 6: double
  bool complex = false;
  std::vector<std::size_t> dims;
  std::string name;
  std::size_t data_at = 0;  // of the tag of the values, within the element
};

/// A variable and where it lies in its file.
struct MatVariable {
  MatHeader header;
  std::uintmax_t at = 0;    // of its tag, in bytes
  std::uint64_t bytes = 0;  // behind the tag
  bool compressed = false;
  bool little_endian = true;
};

inline constexpr std::size_t mat_header_bytes = 160;  // tag 8, flags 16, dims 8 + 32, name 8 + 64, rounded up

/// Parses the first bytes of an uncompressed matrix element, its own tag included; nothing if they make no sense.
/// Up to 8 dimensions and names of up to 63 characters, MATLAB's limit.
inline std::optional<MatHeader> parse_mat_header(std::span<const unsigned char> bytes, bool little) {
  const auto u32 = [&](std::size_t i) {
    std::uint32_t value = 0;
    for (std::size_t k = 0; k < 4; ++k) value |= std::uint32_t(bytes[i + k]) << (8 * (little ? k : 3 - k));
    return value;
  };
  constexpr std::uint32_t type_int8 = 1, type_int32 = 5, type_uint32 = 6, type_matrix = 14;
  if (bytes.size() < 40 || u32(0) != type_matrix || u32(8) != type_uint32 || u32(12) != 8) return {};
  MatHeader header{u32(16) & 0xff, (u32(16) & 0x800) != 0, {}, {}, 0};
  const std::size_t dims_bytes = u32(28);
  if (u32(24) != type_int32 || dims_bytes % 4 != 0 || dims_bytes < 8 || dims_bytes > 32) return {};
  const std::size_t name_at = 32 + (dims_bytes + 7) / 8 * 8;
  if (bytes.size() < name_at + 8) return {};
  for (std::size_t i = 0; i < dims_bytes; i += 4) header.dims.push_back(u32(32 + i));
  const bool small = u32(name_at) >> 16 != 0;  // up to four bytes of data within the tag itself
  const std::size_t length = small ? u32(name_at) >> 16 : u32(name_at + 4);
  const std::size_t data_at = name_at + (small ? 4 : 8);
  if ((u32(name_at) & 0xffff) != type_int8 || length > (small ? 4u : 63u) || bytes.size() < data_at + length) return {};
  header.name.assign(reinterpret_cast<const char*>(bytes.data()) + data_at, length);
  header.data_at = small ? name_at + 8 : data_at + (length + 7) / 8 * 8;
  return header;
}

/// The bytes that a zlib stream expands to, or the first `most`; fewer where the stream is damaged.
struct Inflated {
  std::vector<unsigned char> bytes;
  bool whole = false;  // to its end, and its checksum is right
};
inline Inflated inflate_at_most(std::span<unsigned char> packed, std::size_t most) {
  Inflated out{std::vector<unsigned char>(most)};
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return {};
  stream.next_in = packed.data();
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = out.bytes.data();
  stream.avail_out = static_cast<uInt>(most);
  out.whole = inflate(&stream, Z_SYNC_FLUSH) == Z_STREAM_END;
  inflateEnd(&stream);
  out.bytes.resize(most - stream.avail_out);
  return out;
}

/// Variable `name`, or nothing if the file has none of that name. Also checks that the file is v5 and that every
/// element lies within it. The names of what precedes it, whatever it is, are added to `passed`, in the file's order,
/// where it is given. Errors: DataError.
inline std::optional<MatVariable> find_mat_variable(const std::filesystem::path& path, std::string_view name,
                                                    std::vector<std::string>* passed = nullptr) {
  const std::string where = path.string();
  const auto refuse = [&where](const std::string& got, const std::string& remedy = "") {
    fail<DataError>({.where = where, .expected = "a MATLAB v5 file", .got = got, .remedy = remedy});
  };
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) refuse("nothing of that name");
  if (!std::filesystem::is_regular_file(status)) refuse("no regular file");
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  std::array<unsigned char, 128> head{};  // 116 B text, 8 B offset, version, endian mark
  if (!file.read(reinterpret_cast<char*>(head.data()), std::streamsize(head.size()))) {
    refuse(file.is_open() ? std::to_string(size) + " bytes, less than a header" : "a file that cannot be opened");
  }
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  const bool little = text.substr(126) == "IM";
  const unsigned version = little ? head[124] | unsigned(head[125]) << 8 : unsigned(head[124]) << 8 | head[125];
  if (text.starts_with("MATLAB 7.3") || text.starts_with("\x89HDF") || version == 0x0200) {
    refuse("a v7.3 (HDF5) file", "save it with the option -v7 or -v6");
  }
  if (text.starts_with("# Created by Octave")) {
    refuse("Octave's text format", "save it with the option -v7, as in save -v7 FILE NAME");
  }
  if (!little && text.substr(126) != "MI") {
    refuse("a file without its endian mark", "save it with the option -v7 or -v6");
  }
  if (version != 0x0100) refuse("version " + std::to_string(version));
  std::optional<MatVariable> found;
  for (std::uintmax_t at = head.size(); at < size;) {
    std::vector<unsigned char> bytes(static_cast<std::size_t>(std::min<std::uintmax_t>(size - at, 1024)));
    file.seekg(static_cast<std::streamoff>(at));
    if (!file.read(reinterpret_cast<char*>(bytes.data()), std::streamsize(bytes.size())) || bytes.size() < 8) {
      refuse("a truncated file");
    }
    std::uint64_t tag[2]{};  // type, byte count
    for (std::size_t i = 0; i < 8; ++i) tag[i / 4] |= std::uint64_t(bytes[i]) << (8 * (little ? i % 4 : 3 - i % 4));
    if (tag[1] > size - at - 8) refuse("a truncated file");
    bytes.resize(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), tag[1] + 8)));
    if (!found) {
      const bool compressed = tag[0] == 15;
      if (compressed) bytes = inflate_at_most(std::span(bytes).subspan(8), mat_header_bytes).bytes;
      const std::optional<MatHeader> header = parse_mat_header(bytes, little);
      if (!header) refuse("a damaged variable at byte " + std::to_string(at));
      if (header->name == name) {
        found = {*header, at, tag[1], compressed, little};
      } else if (passed != nullptr) {
        passed->push_back(header->name);
      }
    }
    at += 8 + tag[1];
  }
  return found;
}

}  // namespace detail
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
