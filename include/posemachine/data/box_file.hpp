// Boxes of people in many images, as a detector or an annotator leaves them in COCO's formats.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/data/annotation_json.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/image_ids.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Which boxes of a file are taken.
struct BoxFileOptions {
  std::int64_t category = 1;  // COCO's person
  double min_score = 0;       // boxes of a lower score are left out; one without a score has 1
};

/// The boxes of a file by image. Shapes: boxes in pixels from the image's left top edge, in the file's order.
struct BoxFile {
  std::map<std::int64_t, std::vector<Box>> boxes;  // by image_id; images without boxes are absent
  ImageIds ids;                                    // by file_name where the file is an annotation
};

namespace detail {

inline Box read_file_box(const Json& json, const std::string& where) {
  const bool four = json.is_array() && json.size() == 4 && std::all_of(json.begin(), json.end(), [](const Json& side) {
                      return side.is_number() && is_near(side.get<double>());
                    });
  if (four && json[2].get<double>() > 0 && json[3].get<double>() > 0) {
    return {json[0].get<double>(), json[1].get<double>(), json[2].get<double>(), json[3].get<double>()};
  }
  fail<DataError>({.where = where + ".bbox",
                   .expected = four ? "a width and height above 0" : "x, y, width and height within a million pixels",
                   .got = json_excerpt(json)});
}

}  // namespace detail

/// The boxes of COCO results, a list of {"image_id", "category_id", "bbox": [x, y, width, height], "score"}, or of a
/// COCO annotation, an object whose "annotations" is such a list, and whose "images" say which image has which id.
/// Crowds are left out. Errors: DataError naming file, entry and field; and where the category has no box, with those
/// that have.
inline BoxFile read_boxes(const std::filesystem::path& file, const BoxFileOptions& options = {}) {
  const Json json = detail::read_annotation_json(file);
  const bool is_results = json.is_array();
  if (!is_results && !json.is_object()) {
    fail<DataError>({.where = file.string(),
                     .expected = "COCO results (a list) or a COCO annotation (an object)",
                     .got = detail::json_excerpt(json)});
  }
  BoxFile read;
  if (!is_results) read.ids = ImageIds(json, file.string());
  const Json& entries = is_results ? json : array_member<DataError>(json, "annotations", file.string());
  std::set<std::int64_t> other_categories;
  bool taken = false;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string where = file.string() + (is_results ? ": [" : ": annotations[") + std::to_string(i) + "]";
    const Json& entry = entries[i];
    const std::int64_t image = detail::id_member(entry, "image_id", where);
    const std::int64_t category = detail::id_member(entry, "category_id", where);
    const double score = entry.contains("score") ? number_member<DataError>(entry, "score", where, 0, 1) : 1;
    if (category != options.category) {
      other_categories.insert(category);
      continue;
    }
    taken = true;
    if (detail::is_crowd(entry, where) || score < options.min_score) continue;
    read.boxes[image].push_back(detail::read_file_box(member<DataError>(entry, "bbox", where), where));
  }
  if (!taken && !other_categories.empty()) {
    std::string found;
    for (const std::int64_t category : other_categories) {
      if (found.size() < 40) found += (found.empty() ? "" : ", ") + std::to_string(category);
    }
    fail<DataError>({.where = file.string(),
                     .expected = "boxes of category " + std::to_string(options.category),
                     .got = "those of " + found,
                     .remedy = "say which category is meant (--box-category ID)"});
  }
  return read;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
