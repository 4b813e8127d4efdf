// DamagedImages: photographs that could not be used, remembered so that they are named once and not tried again.
#pragma once

#include <posemachine/core/config.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Whether a file can be opened: one that cannot is not damaged, but missing or out of reach.
inline bool is_readable(const std::filesystem::path& path) { return std::ifstream(path, std::ios::binary).good(); }

/// Any number of threads may add and ask.
class DamagedImages {
 public:
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

}  // namespace posemachine::inline POSEMACHINE_BUILD
