// DamagedImages: photographs that could not be used, remembered so that they are named once and not tried again.
#pragma once

#include <posemachine/core/config.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <system_error>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Whether there is no file at this path. One that is there and cannot be opened, or looked for, is not absent.
inline bool is_absent(const std::filesystem::path& path) {
  std::error_code error;
  return !std::filesystem::exists(path, error) && !error;
}

/// Whether a file is there and cannot be opened, for want of rights or because too many files are open: no fault of its
/// own.
inline bool is_out_of_reach(const std::filesystem::path& path) {
  return !is_absent(path) && !std::ifstream(path, std::ios::binary).good();
}

/// Photographs that are damaged or absent, and why. Any number of threads may add and ask.
class DamagedImages {
 public:
  /// Notes a photograph that a reader refused with this message. False, and nothing is noted, where it is out of reach.
  bool note(const std::filesystem::path& image, const std::string& message) {
    if (is_out_of_reach(image)) return false;
    add(image, is_absent(image) ? image.string() + ": absent" : message);
    return true;
  }
  /// The first message of a photograph is kept.
  void add(const std::filesystem::path& image, const std::string& message) {
    const std::scoped_lock lock(mutex_);
    messages_.emplace(image, message);
  }
  bool contains(const std::filesystem::path& image) const {
    const std::scoped_lock lock(mutex_);
    return messages_.contains(image);
  }
  /// What is wrong with each.
  std::map<std::filesystem::path, std::string> all() const {
    const std::scoped_lock lock(mutex_);
    return messages_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::filesystem::path, std::string> messages_;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
