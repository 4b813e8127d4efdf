// The built program that tests of the tool run, and the files that it leaves.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace tool_test {

/// Where the program is: the one that was built with the tests, unless the environment names another.
inline std::string program() {
  if (const char* path = std::getenv("POSEMACHINE_TOOL")) return path;
#if defined(POSEMACHINE_TOOL)
  return POSEMACHINE_TOOL;
#else
  return "posemachine";
#endif
}

inline std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace tool_test
