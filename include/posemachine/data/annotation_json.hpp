// The JSON files of annotations and of results about them, which hold hundreds of thousands of people.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace detail {

/// COCO's training set has 0.24 GB and 30 million values.
inline constexpr JsonLimits annotation_limits{
    .bytes = std::size_t{1} << 30, .depth = 64, .values = 100'000'000, .comments = false};

/// Errors: DataError for a file that cannot be read, no JSON, or what is above the limits.
inline Json read_annotation_json(const std::filesystem::path& file) {
  return parse_json<DataError>(read_file<DataError>(file, annotation_limits.bytes), file.string(), annotation_limits);
}

/// A member that is an id. Errors: DataError naming where.key.
inline std::int64_t id_member(const Json& object, const char* key, const std::string& where) {
  return integer_member<DataError>(object, key, where, 0, std::numeric_limits<std::int64_t>::max());
}

/// Whether an annotation is of a crowd: COCO writes 0 and 1, others false and true; nothing is no crowd.
inline bool is_crowd(const Json& annotation, const std::string& where) {
  if (!annotation.contains("iscrowd")) return false;
  const Json& value = annotation["iscrowd"];
  return value.is_boolean() ? value.get<bool>() : integer_member<DataError>(annotation, "iscrowd", where, 0, 1) != 0;
}

}  // namespace detail
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
