// The definitions of data/frames.hpp.
#pragma once

#include <posemachine/data/frames.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/data/image_folder.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// Key that all frames of a video share: the file's name with a null character, which no name has, in place of its last
// run of digits before the ending. None for a name without digits.
POSEMACHINE_INLINE std::optional<std::string> name_without_number(const std::filesystem::path& file) {
  constexpr std::string_view digits = "0123456789";
  const std::string name = file.filename().string(), stem = file.stem().string();
  const std::size_t last = stem.find_last_of(digits);
  if (last == std::string::npos) return std::nullopt;
  const std::size_t before = stem.find_last_not_of(digits, last);
  const std::size_t first = before == std::string::npos ? 0 : before + 1;
  return name.substr(0, first) + '\0' + name.substr(last + 1);
}

}  // namespace detail

POSEMACHINE_INLINE FrameFinder::Folder FrameFinder::list(const std::filesystem::path& folder) {
  Folder names;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder.empty() ? "." : folder, error);
  for (const std::filesystem::directory_iterator end; !error && entry != end; entry.increment(error)) {
    std::error_code unknown;  // a link that leads nowhere is kept: reading it says so
    const std::optional<std::string> key = detail::name_without_number(entry->path());
    if (key && !entry->is_directory(unknown)) names[*key].push_back(entry->path().filename().string());
  }
  if (error == std::errc::no_such_file_or_directory) return names;  // an absent image has no frames beside it
  if (error) fail<DataError>({.where = folder.string() + ": cannot be listed for frames: " + error.message()});
  for (auto& [key, list] : names) std::sort(list.begin(), list.end(), comes_before);
  return names;
}

POSEMACHINE_INLINE const FrameFinder::Folder& FrameFinder::listed(const std::filesystem::path& folder) {
  const std::scoped_lock lock(mutex_);
  const auto found = folders_.find(folder);
  return found != folders_.end() ? found->second : folders_.emplace(folder, list(folder)).first->second;
}

POSEMACHINE_INLINE std::vector<std::filesystem::path> FrameFinder::operator()(const std::filesystem::path& image,
                                                                              std::span<const int> offsets) {
  std::vector<std::filesystem::path> frames(offsets.size(), image);
  const std::optional<std::string> key = detail::name_without_number(image);
  if (!key || std::all_of(offsets.begin(), offsets.end(), [](int offset) { return offset == 0; })) return frames;
  const Folder& folder = listed(image.parent_path());
  const auto series = folder.find(*key);
  if (series == folder.end()) return frames;
  const std::vector<std::string>& names = series->second;
  const auto own = std::lower_bound(names.begin(), names.end(), image.filename().string(), comes_before);
  if (own == names.end() || *own != image.filename().string()) return frames;
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    if (offsets[i] == 0) continue;
    const std::ptrdiff_t last = std::ssize(names) - 1;
    const std::ptrdiff_t place = std::clamp<std::ptrdiff_t>(own - names.begin() + offsets[i], 0, last);
    frames[i] = image.parent_path() / names[static_cast<std::size_t>(place)];
  }
  return frames;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
