// The definitions of data/picture_cache.hpp.
#pragma once

#include <posemachine/data/picture_cache.hpp>

#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE PictureCache::Picture PictureCache::find(const std::filesystem::path& file,
                                                            const ChooseReduction& choose) const {
  Size whole;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = pictures_.find(file.native());
    if (found == pictures_.end()) return nullptr;
    whole = found->second.front()->whole;
  }
  const int factor = choose ? choose(whole) : 1;
  const std::scoped_lock lock(mutex_);
  return at_factor(file.native(), factor);
}

POSEMACHINE_INLINE PictureCache::Picture PictureCache::keep(const std::filesystem::path& file, Picture picture) {
  const std::size_t size = pixel_bytes(*picture);
  const std::scoped_lock lock(mutex_);
  if (Picture kept = at_factor(file.native(), picture->factor)) return kept;
  if (size > budget_ - bytes_) return picture;
  pictures_[file.native()].push_back(picture);
  bytes_ += size;
  ++count_;
  return picture;
}

POSEMACHINE_INLINE std::size_t PictureCache::bytes() const {
  const std::scoped_lock lock(mutex_);
  return bytes_;
}

POSEMACHINE_INLINE std::size_t PictureCache::count() const {
  const std::scoped_lock lock(mutex_);
  return count_;
}

POSEMACHINE_INLINE PictureCache::Picture PictureCache::at_factor(const std::string& file, int factor) const {
  const auto found = pictures_.find(file);
  if (found == pictures_.end()) return nullptr;
  for (const Picture& picture : found->second) {
    if (picture->factor == factor) return picture;
  }
  return nullptr;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
