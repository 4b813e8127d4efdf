// Arrays out of .mat files: layout, refusals and damage.
#include "temporary_folder.hpp"

#include <posemachine/data/mat_file.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include <matio.h>

namespace mat_file_test {

namespace pm = posemachine;
using test_environment::TemporaryFolder;

namespace {

/// Writes one variable; `data` may be null for the library's zeros.
template <class T>
void write_mat(const std::filesystem::path& path, const char* name, matio_classes class_type, matio_types type,
               std::vector<std::size_t> dims, std::vector<T> data, bool compressed = false, int flags = 0) {
  mat_t* mat = Mat_CreateVer(path.c_str(), nullptr, MAT_FT_MAT5);
  matvar_t* variable = Mat_VarCreate(name, class_type, type, int(dims.size()), dims.data(), data.data(), flags);
  Mat_VarWrite(mat, variable, compressed ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE);
  Mat_VarFree(variable);
  Mat_Close(mat);
}

void write_doubles(const std::filesystem::path& path, std::vector<std::size_t> dims, std::vector<double> values,
                   bool compressed = false) {
  write_mat(path, "joints", MAT_C_DOUBLE, MAT_T_DOUBLE, std::move(dims), std::move(values), compressed);
}

std::string file_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
}

std::string refusal(const std::filesystem::path& path, const pm::MatLimits& limits = {}, const char* name = "joints") {
  try {
    pm::read_mat_array(path, name, 3, limits);
  } catch (const pm::DataError& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::vector<double> counted(std::size_t n) {
  std::vector<double> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = std::sqrt(double(i)) + 0.25;
  return values;
}

}  // namespace

TEST_CASE("read_mat_array: the values come in MATLAB's order, compressed or not") {
  const TemporaryFolder folder;
  for (const bool compressed : {false, true}) {
    write_doubles(folder / "a.mat", {3, 5, 7}, counted(105), compressed);
    const pm::MatArray array = pm::read_mat_array(folder / "a.mat", "joints", 3);
    CHECK(array.dims == std::vector<std::size_t>{3, 5, 7});
    CHECK(array.values == counted(105));
    CHECK(array.values[2 + 3 * (4 + 5 * 6)] == std::sqrt(104.0) + 0.25);
  }
}

TEST_CASE("read_mat_array: a file of the other byte order gives the same values") {
  const TemporaryFolder folder;
  std::string file(124, ' ');
  const auto put = [&file](std::uint64_t value, int bytes) {  // the most significant byte first
    for (int i = bytes - 1; i >= 0; --i) file += static_cast<char>(value >> (8 * i) & 255u);
  };
  file += std::string("\1\0MI", 4);
  put(14, 4), put(16 + 24 + 16 + 8 + 16, 4);                          // a matrix of that many bytes
  put(6, 4), put(8, 4), put(6, 4), put(0, 4);                         // flags: class double
  put(5, 4), put(12, 4), put(1, 4), put(1, 4), put(2, 4), put(0, 4);  // 1 x 1 x 2, padded
  put(1, 4), put(6, 4);
  file += std::string("joints\0\0", 8);
  put(9, 4), put(16, 4), put(0x3ff8'0000'0000'0000, 8), put(0xc004'0000'0000'0000, 8);
  write_bytes(folder / "a.mat", file);
  const pm::MatArray array = pm::read_mat_array(folder / "a.mat", "joints", 3);
  CHECK(array.dims == std::vector<std::size_t>{1, 1, 2});
  CHECK(array.values == std::vector<double>{1.5, -2.5});
}

TEST_CASE("read_mat_array: anything may precede the variable, a struct, too") {
  const TemporaryFolder folder;
  const auto path = folder / "a.mat";
  for (const bool with_struct : {false, true}) {
    mat_t* mat = Mat_CreateVer(path.c_str(), nullptr, MAT_FT_MAT5);
    std::array<std::size_t, 2> one{1, 1};
    std::array<std::size_t, 3> dims{1, 1, 2};
    std::array<std::int32_t, 1> number{7};
    std::array<double, 2> values{3, 4};
    const char* fields[]{"a"};
    std::vector<matvar_t*> variables;
    variables.push_back(Mat_VarCreate("n", MAT_C_INT32, MAT_T_INT32, 2, one.data(), number.data(), 0));
    if (with_struct) variables.push_back(Mat_VarCreateStruct("s", 2, one.data(), fields, 1));
    variables.push_back(Mat_VarCreate("joints", MAT_C_DOUBLE, MAT_T_DOUBLE, 3, dims.data(), values.data(), 0));
    for (matvar_t* variable : variables) {
      Mat_VarWrite(mat, variable, MAT_COMPRESSION_ZLIB);
      Mat_VarFree(variable);
    }
    Mat_Close(mat);
    CHECK(pm::read_mat_array(path, "joints", 3).values == std::vector<double>{3, 4});
    CHECK(contains(refusal(path, {}, "absent"), with_struct ? "the file has n, s and joints" : "has n and joints"));
  }
}

TEST_CASE("read_mat_array: NaN and infinity are values, and an empty array is read") {
  const TemporaryFolder folder;
  const double inf = std::numeric_limits<double>::infinity();
  write_doubles(folder / "a.mat", {1, 1, 3}, {std::nan(""), inf, -inf});
  const pm::MatArray array = pm::read_mat_array(folder / "a.mat", "joints", 3);
  CHECK(std::isnan(array.values[0]));
  CHECK(array.values[2] == -inf);
  write_doubles(folder / "b.mat", {3, 14, 0}, {});
  CHECK(pm::read_mat_array(folder / "b.mat", "joints", 3).values.empty());
}

TEST_CASE(
    "read_mat_array: single and integers are read as the numbers they are, and a last extent of 1 may be left out") {
  const TemporaryFolder folder;
  const auto path = folder / "a.mat";
  for (const bool compressed : {false, true}) {
    const auto check = [&]<class Number>(matio_classes class_type, matio_types type, std::vector<Number> values) {
      std::vector<double> expected(values.begin(), values.end());
      write_mat<Number>(path, "joints", class_type, type, {1, 2, 2}, values, compressed);
      CHECK(pm::read_mat_array(path, "joints", 3).values == expected);
      write_mat<Number>(path, "joints", class_type, type, {2, 2}, values, compressed);
      const pm::MatArray one = pm::read_mat_array(path, "joints", 3);
      CHECK(one.dims == std::vector<std::size_t>{2, 2, 1});
      CHECK(one.values == expected);
    };
    check(MAT_C_DOUBLE, MAT_T_DOUBLE, std::vector<double>{1.25, -2, 3, 1e300});
    check(MAT_C_SINGLE, MAT_T_SINGLE, std::vector<float>{1.25f, -2, 3, 1e30f});
    check(MAT_C_INT8, MAT_T_INT8, std::vector<std::int8_t>{-128, 127, 0, 1});
    check(MAT_C_UINT8, MAT_T_UINT8, std::vector<std::uint8_t>{0, 255, 0x55, 0xAA});
    check(MAT_C_INT16, MAT_T_INT16, std::vector<std::int16_t>{-32768, 32767, 0x5555, 5});
    check(MAT_C_UINT16, MAT_T_UINT16, std::vector<std::uint16_t>{0, 65535, 0x5555, 0xAAAA});
    check(MAT_C_INT32, MAT_T_INT32, std::vector<std::int32_t>{-2147483647, 2147483647, 0x55555555, 5});
    check(MAT_C_UINT32, MAT_T_UINT32, std::vector<std::uint32_t>{0, 4294967295u, 0x55555555u, 0xAAAAAAAAu});
  }
}

TEST_CASE("read_mat_array: numbers stored in fewer bytes than their class has, as MATLAB stores whole ones") {
  const TemporaryFolder folder;
  const auto path = folder / "a.mat";
  // The data's tag follows 8 bytes of the element, 16 of flags, 24 of dimensions and 16 of the name.
  write_doubles(path, {1, 1, 3}, {1, 2, 3});
  std::string bytes = file_bytes(path).substr(0, 128 + 8 + 16 + 24 + 16);
  bytes[132] = 16 + 24 + 16 + 8;
  bytes += std::string("\2\0\3\0\7\x8\xff\0", 8);  // three of uint8 within the tag
  write_bytes(path, bytes);
  CHECK(pm::read_mat_array(path, "joints", 3).values == std::vector<double>{7, 8, 255});
  bytes[bytes.size() - 6] = 4;  // four, where three are wanted
  write_bytes(path, bytes);
  CHECK(contains(refusal(path), "got damaged data"));
}

TEST_CASE("read_mat_array: another name, class or rank and complex values are refused by name") {
  const TemporaryFolder folder;
  const auto path = folder / "a.mat";
  write_mat<double>(path, "points", MAT_C_DOUBLE, MAT_T_DOUBLE, {1, 1, 2}, {1, 2});
  CHECK(contains(refusal(path), "a.mat: joints: expected a real array of numbers with 3 dimensions"));
  CHECK(contains(refusal(path), "got no variable of that name; the file has points"));
  write_mat<std::int64_t>(path, "joints", MAT_C_INT64, MAT_T_INT64, {1, 1, 2}, {1, 2});
  CHECK(contains(refusal(path), "got int64; save it as double, with the option -v7 or -v6"));
  write_mat<char>(path, "joints", MAT_C_CHAR, MAT_T_UINT8, {1, 2}, {'a', 'b'});
  CHECK(contains(refusal(path), "got text"));
  write_doubles(path, {1, 1, 1, 2}, {1, 2});
  CHECK(contains(refusal(path), "got 4 dimensions"));
  mat_t* mat = Mat_CreateVer(path.c_str(), nullptr, MAT_FT_MAT5);
  std::array<std::size_t, 3> dims{1, 1, 2};
  std::array<double, 2> real{1, 2};
  std::array<double, 2> imaginary{3, 4};
  mat_complex_split_t parts{real.data(), imaginary.data()};
  matvar_t* variable = Mat_VarCreate("joints", MAT_C_DOUBLE, MAT_T_DOUBLE, 3, dims.data(), &parts, MAT_F_COMPLEX);
  Mat_VarWrite(mat, variable, MAT_COMPRESSION_NONE);
  Mat_VarFree(variable);
  Mat_Close(mat);
  CHECK(contains(refusal(path), "got complex values"));
}

TEST_CASE("read_mat_array: v7.3, v4, text and missing files are refused with words") {
  const TemporaryFolder folder;
  const auto path = folder / "a.mat";
  CHECK(contains(refusal(path), "a.mat: expected a MATLAB v5 file, got nothing of that name"));
  CHECK(contains(refusal(folder.path()), "no regular file"));
  write_bytes(path, "");
  CHECK(contains(refusal(path), "0 bytes, less than a header"));
  write_bytes(path, std::string(500, 'x'));
  CHECK(contains(refusal(path), "without its endian mark; save it with the option -v7 or -v6"));
  write_bytes(path, "# Created by Octave 9.2.0\n# name: joints\n# type: matrix\n" + std::string(200, '1'));
  CHECK(contains(refusal(path), "got Octave's text format; save it with the option -v7"));
  std::string header = "MATLAB 7.3 MAT-file, Platform: GLNXA64" + std::string(86, ' ');
  header += std::string("\0\2IM", 4);
  write_bytes(path, header + std::string(400, '\0'));
  CHECK(contains(refusal(path), "a v7.3 (HDF5) file; save it with the option -v7 or -v6"));
  write_bytes(path, "\x89HDF\r\n\x1a\n" + std::string(400, '\0'));
  CHECK(contains(refusal(path), "HDF5"));
}

TEST_CASE("read_mat_array: arrays above the limit, or larger than the file can hold, are refused before allocation") {
  const TemporaryFolder folder;
  const auto path = folder / "a.mat";
  write_doubles(path, {3, 5, 7}, counted(105));
  CHECK(contains(refusal(path, {.max_elements = 104}), "expected at most 104 elements, got 3 x 5 x 7"));
  CHECK(refusal(path, {.max_elements = 105}) == "");
  // The extents are 32-bit words after the flags: 128 header + 8 element tag + 16 flags + 8 dimensions tag = 160.
  std::string bytes = file_bytes(path);
  REQUIRE(bytes[160] == 3);
  for (const std::string& huge : {std::string("\xff\xff\xff\x7f", 4), std::string("\x00\x00\x04\x00", 4)}) {
    std::string damaged = bytes;
    damaged.replace(160, 4, huge);
    write_bytes(path, damaged);
    CHECK(contains(refusal(path), "a.mat"));
  }
}

TEST_CASE("read_mat_array: a file cut short anywhere, or damaged, is an error or gives an array of the stated size") {
  const TemporaryFolder folder;
  const auto path = folder / "a.mat";
  for (const bool compressed : {false, true}) {
    write_doubles(path, {3, 14, 5}, counted(210), compressed);
    const std::string bytes = file_bytes(path);
    for (std::size_t size = 0; size < bytes.size(); size += 13) {
      CAPTURE(size);
      write_bytes(path, bytes.substr(0, size));
      CHECK(contains(refusal(path), "a.mat"));
    }
    std::uint64_t state = 7;
    int refused = 0;
    for (int i = 0; i < 400; ++i) {
      std::string damaged = bytes;
      state = state * 6364136223846793005u + 1442695040888963407u;
      damaged[124 + (state >> 33) % (damaged.size() - 124)] = static_cast<char>(state >> 56);
      write_bytes(path, damaged);
      refused += refusal(path) != "";
    }
    CHECK(refused > (compressed ? 40 : 4));
  }
}

}  // namespace mat_file_test
