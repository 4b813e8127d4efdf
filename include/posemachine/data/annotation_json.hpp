// The JSON files of annotations and of results about them, which hold hundreds of thousands of people.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <cstddef>
#include <filesystem>

namespace posemachine::inline POSEMACHINE_BUILD::detail {

/// COCO's training set has 0.24 GB and 30 million values.
inline constexpr JsonLimits annotation_limits{
    .bytes = std::size_t{1} << 30, .depth = 64, .values = 100'000'000, .comments = false};

/// Errors: DataError for a file that cannot be read, no JSON, or what is above the limits.
inline Json read_annotation_json(const std::filesystem::path& file) {
  return parse_json<DataError>(read_file<DataError>(file, annotation_limits.bytes), file.string(), annotation_limits);
}

}  // namespace posemachine::inline POSEMACHINE_BUILD::detail
