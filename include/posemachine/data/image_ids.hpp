// ImageIds: the numbers by which COCO's files speak of images.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/annotation_json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The number at the end of a name: 139 of "000000000139" and of "frame_0139". None where no digit is there, or more
/// than 18 follow the leading zeros.
inline std::optional<std::int64_t> number_at_end(std::string_view stem) {
  std::string_view digits = stem.substr(stem.find_last_not_of("0123456789") + 1);
  if (digits.empty()) return std::nullopt;
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.size() > 18) return std::nullopt;  // 10^18 - 1 fits
  std::int64_t number = 0;
  for (const char digit : digits) number = 10 * number + (digit - '0');
  return number;
}

/// The ids of images: the number at the end of each one's stem, as COCO names its own (000000000139.jpg is 139), or
/// what a COCO annotation says.
class ImageIds {
 public:
  /// By the numbers in names.
  ImageIds() = default;

  /// By images[] (id, file_name) of an annotation. Errors: DataError naming `where` and the entry.
  ImageIds(const Json& annotation, const std::string& where) : where_(where) {
    const Json& images = array_member<DataError>(annotation, "images", where);
    for (std::size_t i = 0; i < images.size(); ++i) {
      const std::string at = where + ": images[" + std::to_string(i) + "]";
      const std::filesystem::path name = string_member<DataError>(images[i], "file_name", at);
      entries_[name.filename().string()].emplace_back(name.lexically_normal(), detail::id_member(images[i], "id", at));
    }
  }

  /// The id of an image by its path, of which an annotation's file_name may have fewer folders, or other ones.
  /// Errors: UsageError for a name without a number; DataError where the annotation has no such image, or several.
  std::int64_t of(const std::filesystem::path& image) const {
    if (where_.empty()) {
      if (const auto number = number_at_end(image.stem().string())) return *number;
      fail<UsageError>({.where = image.string(),
                        .expected = "a name that ends in its image_id, as 000000000139.jpg does",
                        .got = "\"" + detail::excerpt(image.filename().string()) + "\"",
                        .remedy = "give a COCO annotation that lists the images (--image-ids FILE.json)"});
    }
    const auto found = entries_.find(image.filename().string());
    std::vector<Entry> candidates = found != entries_.end() ? found->second : std::vector<Entry>{};
    if (candidates.size() > 1) {  // of one name in several folders: those of the image's
      std::erase_if(candidates, [&](const Entry& entry) { return !ends_with(image.lexically_normal(), entry.first); });
    }
    if (candidates.size() == 1) return candidates.front().second;
    fail<DataError>({.where = where_ + ": images",
                     .expected = "one with the file_name of " + image.string(),
                     .got = found == entries_.end() ? "none" : std::to_string(found->second.size()) + " of its name"});
  }

 private:
  using Entry = std::pair<std::filesystem::path, std::int64_t>;

  static bool ends_with(const std::filesystem::path& path, const std::filesystem::path& end) {
    const std::vector<std::filesystem::path> all(path.begin(), path.end());
    const std::vector<std::filesystem::path> last(end.begin(), end.end());
    return last.size() <= all.size() && std::equal(last.rbegin(), last.rend(), all.rbegin());
  }

  std::string where_;                                  // empty: by the numbers in names
  std::map<std::string, std::vector<Entry>> entries_;  // by file name without folders
};

/// The ids that a COCO annotation gives its images. Errors: DataError naming file, entry and field.
inline ImageIds read_image_ids(const std::filesystem::path& file) {
  return ImageIds(detail::read_annotation_json(file), file.string());
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
