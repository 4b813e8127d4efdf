// Lists of images: a text file with a name or path per line, that says some of the people of a data set.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/person.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Which images of some people a list names.
struct ListedImages {
  std::set<std::filesystem::path> images;  // as the people have them
  std::vector<std::string> unknown;        // lines that name none of them
};

namespace detail {

// Whether a path ends with all of another one's parts: a/b/c.jpg with b/c.jpg, and with c.jpg.
inline bool ends_with_path(const std::filesystem::path& path, const std::filesystem::path& end) {
  const std::vector<std::filesystem::path> parts(path.begin(), path.end()), last(end.begin(), end.end());
  return last.size() <= parts.size() && std::equal(last.rbegin(), last.rend(), parts.rbegin());
}

}  // namespace detail

/// Reads a list, one image per line: its name, the end of its path, its path from the list's folder, or its whole path.
/// Empty lines, and blanks around a name, mean nothing. Errors: DataError for a file that cannot be read, and a name
/// that several images have.
inline ListedImages read_image_list(const std::filesystem::path& file, std::span<const Person> people) {
  std::map<std::filesystem::path, std::set<std::filesystem::path>> by_name;
  for (const Person& person : people) by_name[person.image.filename()].insert(person.image);
  constexpr std::size_t max_bytes = std::size_t{1} << 30;
  const std::string text = read_file<DataError>(file, max_bytes);
  const std::filesystem::path folder = std::filesystem::absolute(file).parent_path();
  ListedImages listed;
  std::size_t number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    ++number;
    constexpr std::string_view blanks = " \t\r";
    const std::size_t begin = line.find_first_not_of(blanks);
    if (begin == std::string_view::npos) continue;
    line = line.substr(begin, line.find_last_not_of(blanks) + 1 - begin);
    const std::filesystem::path name = std::filesystem::path(std::string(line)).lexically_normal();
    const std::filesystem::path from_list = (folder / name).lexically_normal();  // an absolute name stays one
    std::set<std::filesystem::path> found;
    if (const auto same = by_name.find(name.filename()); same != by_name.end()) {
      for (const std::filesystem::path& image : same->second) {
        const std::filesystem::path whole = std::filesystem::absolute(image).lexically_normal();
        if (whole == from_list) {
          found = {image};
          break;
        }
        if (detail::ends_with_path(whole, name)) found.insert(image);
      }
    }
    if (found.size() > 1) {
      fail<DataError>({.where = file.string() + ", line " + std::to_string(number),
                       .expected = "the name of one image",
                       .got = "\"" + std::string(line.substr(0, 200)) + "\", which " + std::to_string(found.size()) +
                              " have, " + found.begin()->string() + " for one",
                       .remedy = "write more of its path"});
    }
    if (found.empty()) listed.unknown.emplace_back(line);
    listed.images.merge(found);
  }
  return listed;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
