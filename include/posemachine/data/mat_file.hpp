// The .mat door: one named array of numbers out of a MATLAB v5 file.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/mat_header.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <matio.h>

namespace posemachine::inline POSEMACHINE_BUILD {

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

/// Reads a variable whose elements are Stored, as doubles; none where its data are damaged. matio may report success on
/// data that end too early: what it has written is the same over two different fillings.
template <class Stored>
std::optional<std::vector<double>> read_mat_numbers(mat_t* mat, matvar_t* variable, std::size_t count) {
  std::array<std::vector<Stored>, 2> read;
  for (std::size_t i = 0; i < read.size(); ++i) {
    read[i].resize(count);
    std::memset(read[i].data(), i == 0 ? 0x55 : 0xAA, count * sizeof(Stored));
    if (Mat_VarReadDataLinear(mat, variable, read[i].data(), 0, 1, static_cast<int>(count)) != 0) return std::nullopt;
  }
  if (std::memcmp(read[0].data(), read[1].data(), count * sizeof(Stored)) != 0) return std::nullopt;
  return std::vector<double>(read[0].begin(), read[0].end());
}

using ReadMatNumbers = std::optional<std::vector<double>> (*)(mat_t*, matvar_t*, std::size_t);

/// How a class of numbers is read; null for classes that are none.
inline ReadMatNumbers reader_of_mat_class(unsigned class_type) {
  switch (class_type) {
    case MAT_C_DOUBLE: return read_mat_numbers<double>;
    case MAT_C_SINGLE: return read_mat_numbers<float>;
    case MAT_C_INT8: return read_mat_numbers<std::int8_t>;
    case MAT_C_UINT8: return read_mat_numbers<std::uint8_t>;
    case MAT_C_INT16: return read_mat_numbers<std::int16_t>;
    case MAT_C_UINT16: return read_mat_numbers<std::uint16_t>;
    case MAT_C_INT32: return read_mat_numbers<std::int32_t>;
    case MAT_C_UINT32: return read_mat_numbers<std::uint32_t>;
    default: return nullptr;
  }
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
  std::optional<detail::MatHeader> header = detail::find_mat_variable(path, name, &others);
  const auto refuse = [&](const std::string& got) {
    fail<DataError>({.where = where, .expected = wanted, .got = got});
  };
  if (!header) {
    fail<DataError>({.where = where,
                     .expected = wanted,
                     .got = "no variable of that name",
                     .remedy = detail::mat_names_text(others)});
  }
  const detail::ReadMatNumbers read_numbers = detail::reader_of_mat_class(header->class_type);
  if (read_numbers == nullptr) {
    fail<DataError>({.where = where,
                     .expected = wanted,
                     .got = std::string(detail::mat_class_name(header->class_type)),
                     .remedy = "save it as double, with the option -v7 or -v6"});
  }
  if (header->complex) refuse("complex values");
  const std::vector<std::size_t> stored_dims = header->dims;
  if (header->dims.size() + 1 == rank && rank > 2) header->dims.push_back(1);
  if (header->dims.size() != rank) refuse(std::to_string(header->dims.size()) + " dimensions");
  std::size_t count = 1;
  for (const std::size_t extent : header->dims) {
    if (extent != 0 && count > limits.max_elements / extent) {
      fail<DataError>({.where = where,
                       .expected = "at most " + std::to_string(limits.max_elements) + " elements",
                       .got = mat_dims_text(header->dims)});
    }
    count *= extent;
  }
  // A small file may announce a huge array: deflate expands at most 1032 times, and a double takes at least a byte.
  std::error_code error;
  const std::uintmax_t file_bytes = std::filesystem::file_size(path, error);
  if (count / 1032 > file_bytes) {
    refuse(mat_dims_text(header->dims) + " in a file of " + std::to_string(file_bytes) + " bytes");
  }
  // matio prints nothing unless the program has called Mat_LogInit.
  const std::unique_ptr<mat_t, int (*)(mat_t*)> mat(Mat_Open(path.c_str(), MAT_ACC_RDONLY), Mat_Close);
  if (!mat) refuse("a file that matio cannot open");
  const std::unique_ptr<matvar_t, void (*)(matvar_t*)> variable(Mat_VarReadInfo(mat.get(), name.c_str()), Mat_VarFree);
  const bool agreed = variable && static_cast<unsigned>(variable->class_type) == header->class_type &&
                      !variable->isComplex && variable->rank == int(stored_dims.size()) &&
                      std::equal(stored_dims.begin(), stored_dims.end(), variable->dims);
  if (!agreed) refuse("a damaged variable");
  MatArray array{header->dims, {}};
  if (count == 0) return array;
  std::optional<std::vector<double>> values = read_numbers(mat.get(), variable.get(), count);
  if (!values) fail<DataError>({.where = where, .expected = wanted, .got = "damaged data"});
  array.values = std::move(*values);
  return array;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
