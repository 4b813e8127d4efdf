// The photographs of a folder, in an order that does not depend on the file system.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// The files of a folder whose names end in .jpg, .jpeg or .png, in whatever case, by the bytes of their names. Hidden
/// ones (names that begin with a dot) and those of folders within are not among them.
/// Errors: DataError for a folder that cannot be read or has none.
inline std::vector<std::filesystem::path> images_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> images;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (const std::filesystem::directory_iterator end; !error && entry != end; entry.increment(error)) {
    std::string extension = entry->path().extension().string();
    for (char& letter : extension) {
      if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    }
    const bool picture = extension == ".jpg" || extension == ".jpeg" || extension == ".png";
    std::error_code unknown;  // a link that leads nowhere is kept: reading it says so
    if (!picture || entry->path().filename().string().front() == '.' || entry->is_directory(unknown)) continue;
    images.push_back(entry->path());
  }
  if (error) fail<DataError>({.where = folder.string() + ": cannot be read: " + error.message()});
  if (images.empty()) {
    fail<DataError>({.where = folder.string(), .expected = "images (.jpg, .jpeg, .png)", .got = "none in this folder"});
  }
  std::sort(images.begin(), images.end(), [](const std::filesystem::path& a, const std::filesystem::path& b) {
    return a.filename().string() < b.filename().string();
  });
  return images;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
