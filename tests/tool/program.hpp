// The built program that tests of the tool run, and the files that it leaves.
#pragma once

#include "environment.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace tool_test {

/// Where the program is.
inline std::string program() { return test_environment::variable("POSEMACHINE_TOOL"); }

inline std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace tool_test
