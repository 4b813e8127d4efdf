// Leeds Sports Pose and its extended training set, as people have them on disk: joints.mat beside images/.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/mat_file.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/pose/pose.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Image numbers `first` to `last`, both included, counted from 1 as the files' names are.
struct ImageRange {
  static constexpr int open = std::numeric_limits<int>::max();  // as `last`: to the end of the data set
  int first = 1;
  int last = open;
  friend constexpr bool operator==(const ImageRange&, const ImageRange&) = default;
};

/// A split of LSP by name, "train" (1 to 900), "val" (901 to 1000) or "test" (1001 and up), or "FIRST:LAST" with both
/// ends included. Errors: UsageError.
inline ImageRange parse_split(std::string_view text) {
  if (text == "train") return {1, 900};
  if (text == "val") return {901, 1000};
  if (text == "test") return {1001, ImageRange::open};
  ImageRange range{0, 0};
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, range.first);
  if (first.ec == std::errc{} && first.ptr != end && *first.ptr == ':') {
    const auto last = std::from_chars(first.ptr + 1, end, range.last);
    if (last.ec == std::errc{} && last.ptr == end && range.first >= 1 && range.first <= range.last) return range;
  }
  fail<UsageError>({.where = "split",
                    .expected = "train, val, test or FIRST:LAST with 1 <= FIRST <= LAST",
                    .got = "\"" + std::string(text) + "\""});
}

/// Which people to read.
struct LspOptions {
  ImageRange numbers{};        // images of the data set
  bool allow_missing = false;  // keep people whose image is absent, instead of failing: as DataSetOptions has it
};

namespace detail {

/// What differs between LSP and its extended set.
struct LspLayout {
  std::string_view dataset;
  std::array<std::string_view, 2> folders;  // below the given one, where people unpack it
  int digits;                               // of the number in an image's name
  bool fields_first;                        // (field, joint, image) as in LSP, or (joint, field, image)
  bool flag_is_occluded;                    // the third field: 1 = occluded, or 1 = labelled
  Framing framing;
};
inline constexpr LspLayout lsp_layout{"lsp", {"lsp_dataset", "lsp"}, 4, true, true, Framing::image};
inline constexpr LspLayout lspet_layout{"lspet", {"lspet_dataset", "hr-lspet"}, 5, false, false, Framing::labelled_box};

inline constexpr std::size_t lsp_joint_count = 14;

inline std::filesystem::path lsp_folder(const std::filesystem::path& dir, const LspLayout& layout) {
  std::error_code error;
  for (const auto& candidate : {dir, dir / layout.folders[0], dir / layout.folders[1]}) {
    if (std::filesystem::exists(candidate / "joints.mat", error)) return candidate;
  }
  fail<DataError>(
      {.where = dir.string(),
       .expected = "joints.mat here or in " + std::string(layout.folders[0]) + " or " + std::string(layout.folders[1]),
       .got = std::filesystem::is_directory(dir, error) ? "none" : "no such directory",
       .remedy = "give the folder that holds joints.mat and images/"});
}

/// The photograph of a number: im0001.jpg, or with another ending that photographs have; .jpg where there is none.
inline std::filesystem::path lsp_image(const std::filesystem::path& folder, const LspLayout& layout, int number) {
  const std::string digits = std::to_string(number);
  const std::size_t zeros = static_cast<std::size_t>(std::max(0, layout.digits - int(digits.size())));
  const std::string name = "im" + std::string(zeros, '0') + digits;
  std::error_code error;
  for (const char* ending : {".jpg", ".JPG", ".jpeg", ".JPEG", ".png", ".PNG"}) {
    std::filesystem::path image = folder / "images" / (name + ending);
    if (std::filesystem::exists(image, error)) return image;
  }
  return folder / "images" / (name + ".jpg");
}

/// The array of joints.mat, of the layout's shape.
inline MatArray read_lsp_joints(const std::filesystem::path& folder, const LspLayout& layout) {
  const MatArray array = read_mat_array(folder / "joints.mat", "joints", 3);
  const std::vector<std::size_t> extents =
      layout.fields_first ? std::vector<std::size_t>{3, lsp_joint_count} : std::vector<std::size_t>{lsp_joint_count, 3};
  if (array.dims[0] != extents[0] || array.dims[1] != extents[1]) {
    const bool other = array.dims[0] == extents[1] && array.dims[1] == extents[0];
    fail<DataError>({.where = (folder / "joints.mat").string() + ": joints",
                     .expected = mat_dims_text(extents) + " x images, as " + std::string(layout.dataset) + " has",
                     .got = mat_dims_text(array.dims),
                     .remedy = !other                ? ""
                               : layout.fields_first ? "is this LSPET? then read it as lspet"
                                                     : "is this LSP? then read it as lsp"});
  }
  return array;
}

inline std::vector<Person> read_lsp_layout(const std::filesystem::path& dir, const LspLayout& layout,
                                           const LspOptions& options) {
  const std::filesystem::path folder = lsp_folder(dir, layout);
  const std::string where = (folder / "joints.mat").string() + ": joints";
  const MatArray array = read_lsp_joints(folder, layout);
  const int annotated = static_cast<int>(array.dims[2]);  // at most 16 million, by MatLimits
  const int last = options.numbers.last == ImageRange::open ? annotated : options.numbers.last;
  std::vector<Person> people;
  long missing = 0;
  bool any_present = false;
  std::string first_missing;
  for (int number = std::max(1, options.numbers.first); number <= last; ++number) {
    const std::filesystem::path image = lsp_image(folder, layout, number);
    if (number > annotated || is_absent(image)) {
      if (missing++ == 0) first_missing = image.string() + (number > annotated ? " (not annotated either)" : "");
    } else {
      any_present = true;
    }
    if (number > annotated) {
      missing += last - number;  // nothing beyond the annotation can be used
      break;
    }
    Person person{image, std::string(layout.dataset), number, std::vector<Joint>(lsp_joint_count), layout.framing};
    for (std::size_t j = 0; j < lsp_joint_count; ++j) {
      const auto field = [&](std::size_t f) {
        const std::size_t within = layout.fields_first ? f + 3 * j : j + lsp_joint_count * f;
        return array.values[within + 3 * lsp_joint_count * static_cast<std::size_t>(number - 1)];
      };
      const double flag = field(2);
      const bool labelled = layout.flag_is_occluded || flag == 1;
      if ((flag != 0 && flag != 1) || (labelled && (!std::isfinite(field(0)) || !std::isfinite(field(1))))) {
        fail<DataError>(
            {.where = where + ", image " + std::to_string(number) + ", joint " + std::to_string(j + 1),
             .expected = "finite x and y and a flag of 0 or 1",
             .got = std::to_string(field(0)) + ", " + std::to_string(field(1)) + ", " + std::to_string(flag)});
      }
      Joint& joint = person.joints[j];
      joint.state = !labelled                              ? JointState::unlabelled
                    : layout.flag_is_occluded && flag == 1 ? JointState::occluded
                                                           : JointState::visible;
      // MATLAB counts pixels from 1. Coordinates of unlabelled joints are junk and dropped.
      joint.position = labelled ? Point{field(0) - 1, field(1) - 1} : Point{};
    }
    people.push_back(std::move(person));
  }
  const std::string range = std::to_string(options.numbers.first) + ":" + std::to_string(last);
  if (missing > 0 && !options.allow_missing) {
    fail<DataError>({.where = first_missing,
                     .expected = "all images of " + range,
                     .got = std::to_string(missing) + " missing, this one first",
                     .remedy = "complete the data set, or allow missing images (--allow-missing)"});
  }
  if (people.empty()) {
    fail<DataError>({.where = folder.string(),
                     .expected = "images " + range,
                     .got = "none of them among " + std::to_string(annotated) + " annotated ones"});
  }
  if (!any_present) {
    fail<DataError>({.where = first_missing, .expected = "images of " + range, .got = "none of them"});
  }
  return people;
}

}  // namespace detail

/// Leeds Sports Pose: 14 joints, all labelled, occluded ones with valid positions. `dir` holds joints.mat and
/// images/im0001.jpg (or .jpeg, .png) ..., or a folder lsp_dataset that does.
/// Errors: DataError if joints.mat cannot be used, or images are absent and that is not allowed, or all are.
/// Source: Johnson and Everingham, BMVC 2010.
inline std::vector<Person> read_lsp(const std::filesystem::path& dir, const LspOptions& options = {}) {
  return detail::read_lsp_layout(dir, detail::lsp_layout, options);
}

/// The extended training set: 14 joints, labelled or not, noisy. `dir` holds joints.mat and images/im00001.jpg ..., or
/// a folder lspet_dataset or hr-lspet that does. Errors: as read_lsp.
/// Source: Johnson and Everingham, CVPR 2011.
inline std::vector<Person> read_lspet(const std::filesystem::path& dir, const LspOptions& options = {}) {
  return detail::read_lsp_layout(dir, detail::lspet_layout, options);
}

/// How many images joints.mat annotates, whether the photographs are there or not. Errors: as read_lsp.
inline int lsp_image_count(const std::filesystem::path& dir) {
  const auto& layout = detail::lsp_layout;
  return static_cast<int>(detail::read_lsp_joints(detail::lsp_folder(dir, layout), layout).dims[2]);
}

/// Whether `dir` is Leeds Sports Pose, whose images have parts, and not a set of one's own in its layout: by the number
/// of annotated images, 2,000, or those that are usually kept of it, 1,000 and more. Errors: as read_lsp.
inline bool has_lsp_parts(const std::filesystem::path& dir) {
  const int count = lsp_image_count(dir);
  return count >= 1000 && count <= 2000;
}

/// As lsp_image_count, of the extended training set.
inline int lspet_image_count(const std::filesystem::path& dir) {
  const auto& layout = detail::lspet_layout;
  return static_cast<int>(detail::read_lsp_joints(detail::lsp_folder(dir, layout), layout).dims[2]);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
