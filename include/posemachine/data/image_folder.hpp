// The photographs of a folder, in an order that does not depend on the file system.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/image_io_format.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Whether a name comes before another one as people count: digits that stand together are one number, of any length,
/// so frame_2 comes before frame_10; everything else goes by bytes. Names that differ in leading zeros alone go by
/// their bytes: 007 before 07 before 7. A strict order of all names, the same in every locale.
inline bool comes_before(std::string_view a, std::string_view b) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto number_at = [&](std::string_view text, std::size_t& at) {  // without leading zeros; `at` goes behind it
    while (at < text.size() && text[at] == '0') ++at;
    const std::size_t begin = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return text.substr(begin, at - begin);
  };
  for (std::size_t i = 0, k = 0; i < a.size() && k < b.size();) {
    if (is_digit(a[i]) && is_digit(b[k])) {
      const std::string_view left = number_at(a, i);
      const std::string_view right = number_at(b, k);
      if (left.size() != right.size()) return left.size() < right.size();
      if (left != right) return left < right;
    } else {
      if (a[i] != b[k]) return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[k]);
      ++i, ++k;
    }
    if (i == a.size() && k < b.size()) return true;
    if (k == b.size() && i < a.size()) return false;
  }
  return a < b;
}

/// Whether a name ends in .jpg, .jpeg or .png, in whatever case.
inline bool is_picture_name(const std::filesystem::path& file) { return format_of_name(file).has_value(); }

/// The files of a folder whose names end in .jpg, .jpeg or .png, in whatever case, in the order of comes_before. Hidden
/// ones (names that begin with a dot) and those of folders within are not among them.
/// Errors: DataError for a folder that cannot be read or has none.
inline std::vector<std::filesystem::path> images_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> images;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (const std::filesystem::directory_iterator end; !error && entry != end; entry.increment(error)) {
    std::error_code unknown;  // a link that leads nowhere is kept: reading it says so
    if (!is_picture_name(entry->path()) || entry->path().filename().string().front() == '.' ||
        entry->is_directory(unknown))
      continue;
    images.push_back(entry->path());
  }
  if (error) fail<DataError>({.where = folder.string() + ": cannot be read: " + error.message()});
  if (images.empty()) {
    fail<DataError>({.where = folder.string(), .expected = "images (.jpg, .jpeg, .png)", .got = "none in this folder"});
  }
  std::sort(images.begin(), images.end(), [](const std::filesystem::path& a, const std::filesystem::path& b) {
    return comes_before(a.filename().string(), b.filename().string());
  });
  return images;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
