// The .mat door: one named array of numbers out of a MATLAB v5 file.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/mat_header.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// A real array in MATLAB's column-major order: the FIRST index is contiguous, so that element (i, j, k) of an array of
/// dims {I, J, K} is values[i + I * (j + J * k)].
struct MatArray {
  std::vector<std::size_t> dims;
  std::vector<double> values;
};

/// What an array may cost; a larger one is refused from its header, before memory is allocated for it.
struct MatLimits {
  std::size_t max_elements = 16'000'000;  // 128 MB of doubles
};

/// "3 x 14 x 1500".
inline std::string mat_dims_text(const std::vector<std::size_t>& dims) {
  std::string text;
  for (std::size_t i = 0; i < dims.size(); ++i) text += (i ? " x " : "") + std::to_string(dims[i]);
  return text;
}

namespace detail {

inline std::string_view mat_class_name(unsigned class_type) {
  static constexpr std::array<std::string_view, 18> names{"an empty array",
                                                          "a cell array",
                                                          "a struct",
                                                          "an object",
                                                          "text",
                                                          "a sparse matrix",
                                                          "double",
                                                          "single",
                                                          "int8",
                                                          "uint8",
                                                          "int16",
                                                          "uint16",
                                                          "int32",
                                                          "uint32",
                                                          "int64",
                                                          "uint64",
                                                          "a function handle",
                                                          "an opaque object"};
  return class_type < names.size() ? names[class_type] : "an unknown class";
}

inline bool is_mat_number(unsigned class_type) { return class_type >= 6 && class_type <= 13; }  // double to uint32

template <class Stored>
std::vector<double> mat_numbers(const unsigned char* bytes, std::size_t count, bool little_endian) {
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::array<unsigned char, sizeof(Stored)> one{};
    std::copy_n(bytes + i * sizeof(Stored), sizeof(Stored), one.begin());
    if (little_endian != (std::endian::native == std::endian::little)) std::reverse(one.begin(), one.end());
    values[i] = static_cast<double>(std::bit_cast<Stored>(one));
  }
  return values;
}

/// How numbers are stored, which may be in fewer bytes than their class has. Source: as MatHeader.
struct MatStorage {
  std::size_t bytes = 0;  // per number
  std::vector<double> (*read)(const unsigned char*, std::size_t, bool) = nullptr;
};
inline MatStorage mat_storage(unsigned type) {
  switch (type) {
    case 1: return {1, mat_numbers<std::int8_t>};
    case 2: return {1, mat_numbers<std::uint8_t>};
    case 3: return {2, mat_numbers<std::int16_t>};
    case 4: return {2, mat_numbers<std::uint16_t>};
    case 5: return {4, mat_numbers<std::int32_t>};
    case 6: return {4, mat_numbers<std::uint32_t>};
    case 7: return {4, mat_numbers<float>};
    case 9: return {8, mat_numbers<double>};
    case 12: return {8, mat_numbers<std::int64_t>};
    case 13: return {8, mat_numbers<std::uint64_t>};
    default: return {};
  }
}

/// The element of a variable as it is uncompressed, at most `most` bytes; empty where it is damaged.
inline std::vector<unsigned char> read_mat_element(const std::filesystem::path& path, const MatVariable& variable,
                                                   std::size_t most) {
  const std::uint64_t stored = variable.compressed ? variable.bytes : std::min<std::uint64_t>(variable.bytes + 8, most);
  std::vector<unsigned char> bytes(static_cast<std::size_t>(stored));
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(variable.at + (variable.compressed ? 8 : 0)));
  if (!file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()))) return {};
  if (!variable.compressed) return bytes;
  Inflated inflated = inflate_at_most(bytes, most);
  return inflated.whole ? std::move(inflated.bytes) : std::vector<unsigned char>();
}

/// The first bytes of a compressed variable's element, uncompressed; fewer where they are damaged.
inline std::vector<unsigned char> read_mat_beginning(const std::filesystem::path& path, const MatVariable& variable) {
  std::vector<unsigned char> bytes(static_cast<std::size_t>(std::min<std::uint64_t>(variable.bytes, 1024)));
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(variable.at + 8));
  if (!file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()))) return {};
  return inflate_at_most(bytes, mat_header_bytes).bytes;
}

/// A piece of data within an element, behind its tag.
struct MatData {
  unsigned type = 0;
  std::span<const unsigned char> bytes{};
  std::size_t end = 0;  // of what fills up its last word
};

/// The data whose tag is at `at`; none where they do not lie within `element`.
inline std::optional<MatData> mat_data(std::span<const unsigned char> element, std::size_t at, bool little_endian) {
  if (at > element.size() || element.size() - at < 8) return std::nullopt;
  const auto u32 = [&](std::size_t i) {
    return static_cast<std::uint32_t>(mat_numbers<std::uint32_t>(&element[i], 1, little_endian).front());
  };
  const bool small = u32(at) >> 16 != 0;  // up to four bytes of data within the tag itself
  const std::size_t count = small ? u32(at) >> 16 : u32(at + 4);
  const std::size_t first = at + (small ? 4 : 8);
  if (count > (small ? 4 : element.size() - first)) return std::nullopt;
  const std::size_t filled = small ? at + 8 : first + (count + 7) / 8 * 8;
  return MatData{u32(at) & 0xffff, element.subspan(first, count), std::min(filled, element.size())};
}

/// The numbers of a variable; none where its data are damaged.
inline std::optional<std::vector<double>> read_mat_numbers(const std::filesystem::path& path,
                                                           const MatVariable& variable, std::size_t count) {
  constexpr std::size_t largest = 8;  // bytes of a number, of a tag, and of what fills up the last word
  const std::size_t data_at = variable.header.data_at;
  const std::vector<unsigned char> element = read_mat_element(path, variable, data_at + largest * (count + 2));
  const std::optional<MatData> data = mat_data(element, data_at, variable.little_endian);
  const MatStorage storage = mat_storage(data ? data->type : 0);
  if (storage.read == nullptr || data->bytes.size() != count * storage.bytes) return std::nullopt;
  return storage.read(data->bytes.data(), count, variable.little_endian);
}

/// "the file has lightning, thunder and 3 others".
inline std::string mat_names_text(const std::vector<std::string>& names) {
  constexpr std::size_t most = 8;
  const std::size_t shown = names.size() > most ? most - 1 : names.size();
  std::string text = names.empty() ? "the file is empty" : "the file has ";
  for (std::size_t i = 0; i < shown; ++i) {
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  }
  if (shown < names.size()) text += " and " + std::to_string(names.size() - shown) + " others";
  return text;
}

}  // namespace detail

/// Reads the array `name` from a MATLAB v5 file, compressed or not, of either byte order, of class double, single or an
/// integer of up to 32 bits. Shapes: dims as stored, of rank `rank`, a last extent of 1, which MATLAB leaves out,
/// included; values column-major, see MatArray; they may be NaN or infinite.
/// Errors: DataError if the file is missing, no v5 file (v7.3 is HDF5) or damaged, or the variable is missing (the
/// message then names those that are there), of another class, complex, of another rank or above the limits; all of
/// that is checked before any allocation.
inline MatArray read_mat_array(const std::filesystem::path& path, const std::string& name, std::size_t rank,
                               const MatLimits& limits = {}) {
  const std::string where = path.string() + ": " + name;
  const std::string wanted = "a real array of numbers with " + std::to_string(rank) + " dimensions";
  std::vector<std::string> others;
  const std::optional<detail::MatVariable> variable = detail::find_mat_variable(path, name, &others);
  const auto refuse = [&](const std::string& got) {
    fail<DataError>({.where = where, .expected = wanted, .got = got});
  };
  if (!variable) {
    fail<DataError>({.where = where,
                     .expected = wanted,
                     .got = "no variable of that name",
                     .remedy = detail::mat_names_text(others)});
  }
  const detail::MatHeader& header = variable->header;
  if (!detail::is_mat_number(header.class_type)) {
    fail<DataError>({.where = where,
                     .expected = wanted,
                     .got = std::string(detail::mat_class_name(header.class_type)),
                     .remedy = "save it as double, with the option -v7 or -v6"});
  }
  if (header.complex) refuse("complex values");
  MatArray array{header.dims, {}};
  if (array.dims.size() + 1 == rank && rank > 2) array.dims.push_back(1);
  if (array.dims.size() != rank) refuse(std::to_string(array.dims.size()) + " dimensions");
  std::size_t count = 1;
  for (const std::size_t extent : array.dims) {
    if (extent != 0 && count > limits.max_elements / extent) {
      fail<DataError>({.where = where,
                       .expected = "at most " + std::to_string(limits.max_elements) + " elements",
                       .got = mat_dims_text(array.dims)});
    }
    count *= extent;
  }
  // A small file may announce a huge array: deflate expands at most 1032 times, and a double takes at least a byte.
  std::error_code error;
  const std::uintmax_t file_bytes = std::filesystem::file_size(path, error);
  if (count / 1032 > file_bytes) {
    refuse(mat_dims_text(array.dims) + " in a file of " + std::to_string(file_bytes) + " bytes");
  }
  if (count == 0) return array;
  std::optional<std::vector<double>> values = detail::read_mat_numbers(path, *variable, count);
  if (!values) fail<DataError>({.where = where, .expected = wanted, .got = "damaged data"});
  array.values = std::move(*values);
  return array;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
