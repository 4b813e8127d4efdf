// The definitions of data/image_headers.hpp.
#pragma once

#include <posemachine/data/image_headers.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/data/frames.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/image_kinds.hpp>
#include <posemachine/data/read_frames.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// Facts from a file's header, or the reason why no decoder would take it.
struct FileHeader {
  Size size;
  std::string problem{};
};

POSEMACHINE_INLINE FileHeader header_of(const std::filesystem::path& file, const ImageLimits& limits, int bit_depth) {
  FileHeader result;
  int got = bit_depth;
  try {
    const ImageHeader header = read_image_header(file, limits);
    result.size = header.size;
    got = header.bit_depth;
  } catch (const DataError& error) {
    if (is_out_of_reach(file)) throw;
    result.problem = is_absent(file) ? file.string() + ": absent" : error.what();
  }
  require_bit_depth(got, bit_depth, file.string());
  return result;
}

}  // namespace detail

POSEMACHINE_INLINE std::size_t find_damaged_headers(std::span<const Person> people, DamagedImages& damaged, int threads,
                                                    const ImageLimits& limits, int bit_depth,
                                                    const std::vector<int>& frames) {
  FrameFinder find;
  std::map<std::filesystem::path, std::vector<std::filesystem::path>> images;  // with the files of their frames
  std::map<std::filesystem::path, detail::FileHeader> headers;
  for (const Person& person : people) {
    const auto [image, is_new] = images.try_emplace(person.image);
    if (!is_new) continue;
    image->second = find(person.image, frames);
    headers.try_emplace(person.image);
    for (const std::filesystem::path& file : image->second) headers.try_emplace(file);
  }
  std::vector<std::pair<const std::filesystem::path, detail::FileHeader>*> entries;
  for (auto& entry : headers) entries.push_back(&entry);
  Workers workers(threads);
  workers.for_each(static_cast<int>(entries.size()), [&](int index, int) {
    auto& [file, header] = *entries[static_cast<std::size_t>(index)];
    header = detail::header_of(file, limits, bit_depth);
  });
  for (const auto& [image, files] : images) {
    const detail::FileHeader& own = headers.at(image);
    std::string problem = own.problem;
    for (std::size_t i = 0; problem.empty() && i < files.size(); ++i) {
      const detail::FileHeader& frame = headers.at(files[i]);
      if (!frame.problem.empty()) {
        problem = detail::frame_of(image, frames[i]) + frame.problem;
      } else if (const auto size = detail::frame_size_problem(image, own.size, frames[i], files[i], frame.size)) {
        problem = to_string(*size);
      }
    }
    if (!problem.empty()) damaged.add(image, problem);
  }
  return images.size();
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
