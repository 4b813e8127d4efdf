// FrameFinder: the frames of a video that stand in files beside a photograph.
#pragma once

#include <posemachine/core/config.hpp>

#include <filesystem>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Finds the frames around a photograph: the files of its folder whose names differ from its own in their last run of
/// digits alone, as clip_0007.png and clip_0012.png do, ordered by that number. Numbers may have gaps: one place on is
/// the next file that is there. Folders are listed once, when they are first asked about, so that later files are not
/// found. Any number of threads may ask.
class FrameFinder {
 public:
  FrameFinder() = default;
  FrameFinder(const FrameFinder&) = delete;
  FrameFinder& operator=(const FrameFinder&) = delete;

  /// The photograph's frames: of each offset the file that many places on, the first or the last one where there are
  /// fewer. The photograph itself is frame 0, and all of them where its name has no digits. No folder is listed for
  /// frame 0 alone. Shapes: one path per offset, in their order. Errors: DataError for a folder that cannot be listed.
  std::vector<std::filesystem::path> operator()(const std::filesystem::path& image, std::span<const int> offsets);

 private:
  // Names of files by what is left of them without the number, each list ordered by the number.
  using Folder = std::map<std::string, std::vector<std::string>>;

  static Folder list(const std::filesystem::path& folder);

  const Folder& listed(const std::filesystem::path& folder);

  std::mutex mutex_;
  std::map<std::filesystem::path, Folder> folders_;  // what is there once stays as it is
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/data/frames.ipp>
#endif
