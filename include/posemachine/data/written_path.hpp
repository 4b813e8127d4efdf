// How annotations that are written name their images.
#pragma once

#include <posemachine/core/config.hpp>

#include <filesystem>
#include <string>
#include <system_error>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace detail {

// An image's name as a file beside which it is looked for has it: from the file's folder, or whole where there is no
// way from there.
inline std::string written_path(const std::filesystem::path& image, const std::filesystem::path& file) {
  std::error_code error;
  const std::filesystem::path folder =
      std::filesystem::weakly_canonical(std::filesystem::absolute(file).parent_path(), error);
  if (error) return image.string();
  // Of links among the folders alone: an image that is one keeps its name.
  const std::filesystem::path from =
      std::filesystem::weakly_canonical(std::filesystem::absolute(image).parent_path(), error);
  if (error) return image.string();
  const std::filesystem::path absolute = from / image.filename();
  const std::filesystem::path relative = absolute.lexically_relative(folder);
  return (relative.empty() ? absolute : relative).generic_string();
}

}  // namespace detail
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
