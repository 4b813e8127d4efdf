// Ultralytics' labels: a text file per image, a line per person.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace detail {

inline constexpr std::size_t max_label_bytes = std::size_t{16} << 20;  // of one image's labels

// Lines that are not empty, without the blanks around them, and their numbers from 1.
template <class Use>
void for_each_text_line(std::string_view text, const Use& use) {
  constexpr std::string_view blanks = " \t\r";
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t begin = line.find_first_not_of(blanks);
    if (begin == std::string_view::npos) continue;
    use(line.substr(begin, line.find_last_not_of(blanks) + 1 - begin), number);
  }
}

// images/ becomes labels/, the last one of the path; without one, the labels lie beside the image.
inline std::filesystem::path yolo_labels_of(const std::filesystem::path& image) {
  std::string path = image.string();
  constexpr std::string_view images = "/images/";
  if (const std::size_t found = path.rfind(images); found != std::string::npos) {
    path.replace(found, images.size(), "/labels/");
  }
  return std::filesystem::path(path).replace_extension(".txt");
}

// Reads the labels of one data set's images.
class YoloLabels {
 public:
  YoloLabels(const JointSet& joints, bool has_visibility, std::int64_t class_count)
      : joints_(joints), has_visibility_(has_visibility), class_count_(class_count) {}

  /// Adds the people of one image, and what was left out. Errors: DataError naming file, line and field.
  void read(const std::filesystem::path& file, const std::filesystem::path& image, int number,
            Annotations& into) const {
    const std::string text = read_file<DataError>(file, max_label_bytes);
    std::set<std::string_view> seen;  // one person twice is a slip of tools, as it is to Ultralytics
    std::vector<Person> found;
    for_each_text_line(text, [&](std::string_view line, std::size_t line_number) {
      const std::string where = file.string() + ", line " + std::to_string(line_number);
      if (!seen.insert(line).second) return into.leave_out("lines that stand there twice", where);
      Person person{image, "yolo", number, {}, Framing::box};
      const std::vector<double> numbers = numbers_of(line, where);
      if (!read_person(numbers, where, person)) {
        return into.leave_out("people without a labelled joint");
      }
      if (!person.box) {
        // Of zeros alone, as tools write that were given none, it is no fault.
        const bool is_none =
            std::all_of(numbers.begin() + 1, numbers.begin() + 5, [](double each) { return each == 0; });
        into.leave_out("boxes of no area", is_none ? "" : where + ": box");
      }
      found.push_back(std::move(person));
    });
    if (found.empty()) return;
    const std::optional<Size> size = size_of(image);
    for (Person& person : found) {
      to_pixels(person, size);
      into.people.push_back(std::move(person));
    }
  }

 private:
  std::vector<double> numbers_of(std::string_view line, const std::string& where) const {
    const std::size_t wanted = 5 + joints_.joints.size() * (has_visibility_ ? 3 : 2);
    std::vector<double> numbers;
    while (!line.empty()) {
      const std::string_view word = line.substr(0, line.find_first_of(" \t"));
      line.remove_prefix(word.size());
      line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
      double value = 0;
      const auto read = std::from_chars(word.data(), word.data() + word.size(), value);
      if (read.ec != std::errc{} || read.ptr != word.data() + word.size() || !std::isfinite(value)) {
        fail<DataError>({.where = where + ": value " + std::to_string(numbers.size() + 1),
                         .expected = "a number",
                         .got = "\"" + excerpt(word, 40) + "\""});
      }
      numbers.push_back(value);
      if (numbers.size() > wanted) break;
    }
    if (numbers.size() != wanted) {
      fail<DataError>({.where = where,
                       .expected = std::to_string(wanted) + " numbers: class, box and " +
                                   std::to_string(joints_.joints.size()) + " joints of " +
                                   (has_visibility_ ? "3" : "2"),
                       .got = numbers.size() > wanted ? "more" : std::to_string(numbers.size())});
    }
    return numbers;
  }

  // In shares of the image's width and height; false where no joint is labelled.
  bool read_person(const std::vector<double>& numbers, const std::string& where, Person& person) const {
    if (numbers[0] != std::floor(numbers[0]) || numbers[0] < 0 || numbers[0] >= static_cast<double>(class_count_)) {
      fail<DataError>({.where = where + ": class",
                       .expected = "0 to " + std::to_string(class_count_ - 1),
                       .got = Json(numbers[0]).dump()});
    }
    // As Ultralytics does: rounding may lead a little beyond the edges.
    const auto share = [&](double value, const std::string& field) {
      if (value >= -0.01 && value <= 1.01) return value;
      fail<DataError>({.where = where + ": " + field,
                       .expected = "a share of the image's width or height, 0 to 1",
                       .got = Json(value).dump()});
    };
    const double width = share(numbers[3], "box");
    const double height = share(numbers[4], "box");
    const Box box{share(numbers[1], "box") - width / 2, share(numbers[2], "box") - height / 2, width, height};
    if (width > 0 && height > 0) person.box = box;
    bool labelled = false;
    const std::size_t each = has_visibility_ ? 3 : 2;
    for (std::size_t j = 0; j < joints_.joints.size(); ++j) {
      const double* const given = numbers.data() + 5 + each * j;
      const double visibility = has_visibility_ ? given[2] : given[0] == 0 && given[1] == 0 ? 0 : 2;
      if (visibility != 0 && visibility != 1 && visibility != 2) {
        fail<DataError>({.where = where + ": visibility of " + joints_.joints[j],
                         .expected = "0, 1 or 2",
                         .got = Json(visibility).dump()});
      }
      Joint& joint = person.joints.emplace_back();
      if (visibility == 0) continue;
      joint.position = {share(given[0], joints_.joints[j]), share(given[1], joints_.joints[j])};
      joint.state = visibility == 1 ? JointState::occluded : JointState::visible;
      labelled = true;
    }
    return labelled;
  }

  // None where the photograph is absent or damaged, which is said where photographs are read.
  static std::optional<Size> size_of(const std::filesystem::path& image) {
    try {
      return read_image_header(image).size;
    } catch (const DataError&) {
      return std::nullopt;
    }
  }

  static void to_pixels(Person& person, const std::optional<Size>& size) {
    if (!size) {  // positions that nobody knows
      std::fill(person.joints.begin(), person.joints.end(), Joint{});
      person.box.reset();
      return;
    }
    for (Joint& joint : person.joints) {
      if (!joint.is_labelled()) continue;
      joint.position = {joint.position.x * size->width - 0.5, joint.position.y * size->height - 0.5};
    }
    if (!person.box) return;
    *person.box = {person.box->x * size->width, person.box->y * size->height, person.box->width * size->width,
                   person.box->height * size->height};
  }

  JointSet joints_;
  bool has_visibility_;
  std::int64_t class_count_;
};

}  // namespace detail
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
