// Data sets of a few pictures of noise, for tests of the built program.
#pragma once

#include "noise.hpp"
#include "temporary_folder.hpp"

#include <posemachine/core/image.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/data/image_io.hpp>

#include <matio.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace tool_test {

/// A MATLAB v5 file with one array of doubles, the first index contiguous.
inline void write_array(const std::filesystem::path& path, const char* name, std::vector<std::size_t> dims,
                        std::vector<double> values) {
  mat_t* mat = Mat_CreateVer(path.c_str(), nullptr, MAT_FT_MAT5);
  matvar_t* variable =
      Mat_VarCreate(name, MAT_C_DOUBLE, MAT_T_DOUBLE, static_cast<int>(dims.size()), dims.data(), values.data(), 0);
  Mat_VarWrite(mat, variable, MAT_COMPRESSION_NONE);
  Mat_VarFree(variable);
  Mat_Close(mat);
}

/// A folder, gone with the program: lsp/ with 6 photographs to train on and 2 to validate with, all others absent, and
/// lspet/ with 5.
class SmallSets {
 public:
  static const SmallSets& instance() {
    static const SmallSets sets;
    return sets;
  }
  const std::filesystem::path& path() const { return folder_.path(); }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

 private:
  SmallSets() {
    for (const char* number : {"0001", "0002", "0003", "0004", "0005", "0006", "0901", "0902"})
      write_photo("lsp", number);
    for (const char* number : {"00001", "00002", "00003", "00004", "00005"}) write_photo("lspet", number);
    write_joints("lsp", {3, 14, 1000}, [](std::size_t) { return 0.0; });
    write_joints("lspet", {14, 3, 5}, [](std::size_t joint) { return joint < 10 ? 1.0 : 0.0; });
  }

  void write_photo(const std::string& set, const std::string& number) const {
    const std::uint64_t seed = std::strtoull(number.c_str(), nullptr, 10);
    const posemachine::Image image = test_environment::noise(50, 60, seed);
    std::filesystem::create_directories(folder_ / set / "images");
    // Files are known by their first bytes.
    posemachine::write_png(folder_ / set / "images" / ("im" + number + ".jpg"), image);
  }

  template <class Flag>
  void write_joints(const std::string& set, std::vector<std::size_t> dims, Flag&& flag) const {
    const bool fields_first = dims[0] == 3;
    std::vector<double> values(dims[0] * dims[1] * dims[2]);
    posemachine::RandomStream stream(1, posemachine::Purpose::test);
    for (std::size_t i = 0; i < dims[2]; ++i) {
      for (std::size_t j = 0; j < 14; ++j) {
        for (std::size_t f = 0; f < 3; ++f) {
          values[(fields_first ? f + 3 * j : j + 14 * f) + 42 * i] = f == 2 ? flag(j) : stream.uniform(3, 48);
        }
      }
    }
    write_array(folder_ / set / "joints.mat", "joints", std::move(dims), std::move(values));
  }

  test_environment::TemporaryFolder folder_;
};

}  // namespace tool_test
