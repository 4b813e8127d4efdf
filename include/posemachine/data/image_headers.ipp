// The definitions of data/image_headers.hpp.
#pragma once

#include <posemachine/data/image_headers.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/image_kinds.hpp>

#include <filesystem>
#include <set>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

POSEMACHINE_INLINE std::size_t find_damaged_headers(std::span<const Person> people, DamagedImages& damaged, int threads,
                                                    const ImageLimits& limits, int bit_depth) {
  std::set<std::filesystem::path> once;
  for (const Person& person : people) once.insert(person.image);
  const std::vector<std::filesystem::path> images(once.begin(), once.end());
  Workers workers(threads);
  workers.for_each(static_cast<int>(images.size()), [&](int index, int) {
    const std::filesystem::path& image = images[static_cast<std::size_t>(index)];
    int got = bit_depth;
    try {
      got = read_image_header(image, limits).bit_depth;
    } catch (const DataError& error) {
      if (!damaged.note(image, error.what())) throw;
    }
    require_bit_depth(got, bit_depth, image.string());
  });
  return images.size();
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
