// PictureCache: decoded photographs that are kept in memory from one epoch to the next, up to a budget.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/data/reduced_image.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Keeps the first photographs that it is given, until one more would be beyond the budget. None ever makes room for
/// another: an epoch sees everybody once, so that the least recently used picture is the very one that is needed next,
/// and a cache that evicted it would never be of use. Photographs are known by their paths as they are spelt; a file
/// that is replaced is not noticed. Any number of threads may ask and give.
class PictureCache {
 public:
  using Picture = std::shared_ptr<const ReducedImage>;

  /// Shapes: budget in bytes of pixels.
  explicit PictureCache(std::size_t budget) : budget_(budget) {}

  /// The photograph at the factor that is chosen by its size; null where it is not kept at that one.
  Picture find(const std::filesystem::path& file, const ChooseReduction& choose) const;

  /// Keeps the picture where it is not kept yet and the budget allows it. Returns the one to use: the one that is kept,
  /// where another thread was first.
  Picture keep(const std::filesystem::path& file, Picture picture);

  std::size_t budget() const { return budget_; }
  /// Bytes of the pixels that are kept, at most the budget.
  std::size_t bytes() const;
  /// How many pictures are kept; a photograph may be there at several factors, for people of several sizes.
  std::size_t count() const;

 private:
  // Pictures of one file, all of one whole size; null where none has this factor. The mutex must be held.
  Picture at_factor(const std::string& file, int factor) const;

  const std::size_t budget_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::vector<Picture>> pictures_;  // by the file's path, one per factor
  std::size_t bytes_ = 0;
  std::size_t count_ = 0;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/data/picture_cache.ipp>
#endif
