// MPII Human Pose in its own form: the struct RELEASE of mpii_human_pose_v1_u12_1.mat.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/lsp.hpp>
#include <posemachine/data/mat_value.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/pose/known_joint_sets.hpp>
#include <posemachine/pose/pose.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

inline constexpr std::size_t mpii_joint_count = 16;

/// The square that HRNet and MMPose crop, before they enlarge it: of side 200 * scale, MPII's estimate of the person's
/// height, around a point 15 * scale below the middle. Shapes: the middle is counted from 1, the box from 0.
inline Box mpii_box(Point middle, double scale) {
  constexpr double from_edge = 0.5 - 1;  // MATLAB's pixel 1 begins at the left edge
  const double side = 200 * scale;
  const Point seen{middle.x, middle.y + 15 * scale};
  return {seen.x + from_edge - side / 2, seen.y + from_edge - side / 2, side, side};
}

/// The head length of a head box, which PCKh measures by.
inline double mpii_head_length(double width, double height) { return 0.6 * std::hypot(width, height); }

/// Part of MPII's own file.
struct MpiiMatPart {
  bool single = false;  // the people of single_person alone
  ImageRange numbers{};
};

class MpiiMatReader {
 public:
  MpiiMatReader(const std::filesystem::path& file, const std::string& part)
      : file_(file),
        part_(part_of(file, part)),
        root_(file, "RELEASE", "MPII's annotation, a struct"),
        release_(root_.value(), root_.where()),
        images_(release_.get(0, "annolist", root_.where()), root_.where() + ".annolist") {
    const std::string at = root_.where();
    if (release_.size() != 1) refuse_mat_value(at, "one struct", std::to_string(release_.size()));
    is_train_ = release_.get(0, "img_train", at).numbers(at + ".img_train");
    require_image_count(is_train_.size(), at + ".img_train");
    if (!part_.single) return;
    single_ = release_.get(0, "single_person", at).cells(at + ".single_person");
    require_image_count(single_.size(), at + ".single_person");
  }

  Annotations read(const DataSetOptions& options) const {
    const std::size_t count = images_.size();
    if (static_cast<std::size_t>(part_.numbers.first) > count) {
      fail<DataError>({.where = file_.string(),
                       .expected = "images from " + std::to_string(part_.numbers.first) + " on",
                       .got = std::to_string(count) + " images"});
    }
    Annotations read{mpii_joints(), {}};
    const ImageFinder finder(file_, options);
    const std::size_t last = std::min(count, static_cast<std::size_t>(part_.numbers.last));
    for (std::size_t i = static_cast<std::size_t>(part_.numbers.first) - 1; i < last; ++i) read_image(i, finder, read);
    finish_people(read.people, file_.string(), options, &finder);
    return read;
  }

 private:
  static MpiiMatPart part_of(const std::filesystem::path& file, const std::string& part) {
    if (part.empty() || part == "train") return {};
    if (part == "single") return {.single = true, .numbers = {}};
    const bool is_range = part.find_first_not_of("0123456789:") == std::string::npos;
    if (is_range) return {.single = false, .numbers = parse_split(part)};
    const bool is_conversion = part == "val" || part == "trainval";
    fail<UsageError>({.where = "mpii:" + file.string(),
                      .expected = "the part train or single, or numbers of images FIRST:LAST",
                      .got = "\"" + excerpt(part) + "\"",
                      .remedy = is_conversion ? "MPII's own file has no validation part: HRNet's and MMPose's "
                                                "conversions have one (mpii:DIR:" +
                                                    part + ")"
                                              : ""});
  }

  void require_image_count(std::size_t count, const std::string& where) const {
    if (count == images_.size()) return;
    refuse_mat_value(where, std::to_string(images_.size()) + " entries, one per image of annolist",
                     std::to_string(count));
  }

  // A message's place, as MATLAB would be asked for it: "RELEASE.annolist(3)".
  std::string at(std::size_t image) const { return root_.where() + ".annolist(" + std::to_string(image + 1) + ")"; }

  void read_image(std::size_t i, const ImageFinder& finder, Annotations& read) const {
    const std::string where = at(i);
    const MatValue* const annorect = images_.find(i, "annorect");
    if (annorect == nullptr) return;
    const MatStructs people(*annorect, where + ".annorect");
    if (is_train_[i] != 0 && is_train_[i] != 1) {
      refuse_mat_value(root_.where() + ".img_train(" + std::to_string(i + 1) + ")", "0 or 1",
                       std::to_string(is_train_[i]));
    }
    const std::vector<std::size_t> wanted = people_of(i, people.size());
    for (const std::size_t p : wanted) {
      if (is_train_[i] == 0) {
        read.leave_out("people on test images");
        continue;
      }
      const std::string person_where = where + ".annorect(" + std::to_string(p + 1) + ")";
      Person person{{}, "mpii", static_cast<int>(i) + 1, std::vector<Joint>(mpii_joint_count), Framing::box};
      if (!read_joints(people, p, person_where, person, read)) {
        read.leave_out("people without a labelled joint");
        continue;
      }
      person.image = finder.find(image_name(i, where));
      person.head_length = head_length(people, p, person_where);
      person.box = box(people, p, person_where);
      read.people.push_back(std::move(person));
    }
  }

  // Which people of an image are read: all, or those of single_person, which are counted from 1.
  std::vector<std::size_t> people_of(std::size_t image, std::size_t count) const {
    std::vector<std::size_t> wanted;
    if (!part_.single) {
      for (std::size_t p = 0; p < count; ++p) wanted.push_back(p);
      return wanted;
    }
    const std::string where = root_.where() + ".single_person{" + std::to_string(image + 1) + "}";
    for (const double number : single_[image].numbers(where)) {
      if (!(number >= 1 && number <= static_cast<double>(count)) || number != std::floor(number)) {
        refuse_mat_value(where, "numbers of people from 1 to " + std::to_string(count), std::to_string(number));
      }
      wanted.push_back(static_cast<std::size_t>(number) - 1);
    }
    return wanted;
  }

  std::filesystem::path image_name(std::size_t i, const std::string& where) const {
    const MatStructs image(images_.get(i, "image", where), where + ".image");
    return image.get(0, "name", where + ".image").text(where + ".image.name");
  }

  // A number within a million pixels; none where the field is absent or empty.
  static std::optional<double> number(const MatStructs& structs, std::size_t i, const char* field,
                                      const std::string& where) {
    const MatValue* const value = structs.find(i, field);
    if (value == nullptr) return std::nullopt;
    const double number = value->number(where + "." + field);
    if (is_near(number)) return number;
    refuse_mat_value(where + "." + field, "a number within a million", std::to_string(number));
  }

  static double required(const MatStructs& structs, std::size_t i, const char* field, const std::string& where) {
    structs.get(i, field, where);
    return *number(structs, i, field, where);
  }

  // False where no joint is labelled. MATLAB counts pixels from 1.
  static bool read_joints(const MatStructs& people, std::size_t p, const std::string& person_where, Person& person,
                          Annotations& read) {
    const MatValue* const annopoints = people.find(p, "annopoints");
    if (annopoints == nullptr) return false;
    const MatStructs holder(*annopoints, person_where + ".annopoints");
    const MatValue* const list = holder.find(0, "point");
    if (list == nullptr) return false;
    const std::string where = person_where + ".annopoints.point";
    const MatStructs points(*list, where);
    std::set<std::size_t> seen;
    for (std::size_t k = 0; k < points.size(); ++k) {
      const std::string point_where = where + "(" + std::to_string(k + 1) + ")";
      const double id = required(points, k, "id", point_where);
      if (!(id >= 0 && id < static_cast<double>(mpii_joint_count)) || id != std::floor(id)) {
        refuse_mat_value(point_where + ".id", "a joint from 0 to 15", std::to_string(id));
      }
      const Point position{required(points, k, "x", point_where) - 1, required(points, k, "y", point_where) - 1};
      const JointState state = state_of(points, k, point_where);
      if (!seen.insert(static_cast<std::size_t>(id)).second) {
        read.leave_out("joints that a person has twice", point_where);
        continue;
      }
      person.joints[static_cast<std::size_t>(id)] = {position, state};
    }
    return !seen.empty();
  }

  // is_visible is a number, a letter, empty or absent; the last two of joints that follow from the head box.
  static JointState state_of(const MatStructs& points, std::size_t k, const std::string& where) {
    const MatValue* const value = points.find(k, "is_visible");
    if (value == nullptr) return JointState::visible;
    const std::string at = where + ".is_visible";
    const std::string flag = value->is_text() ? value->text(at) : flag_text(value->number(at));
    if (flag != "0" && flag != "1") refuse_mat_value(at, "0 or 1", "\"" + excerpt(flag) + "\"");
    return flag == "1" ? JointState::visible : JointState::occluded;
  }

  static std::string flag_text(double flag) { return flag == 0 ? "0" : flag == 1 ? "1" : std::to_string(flag); }

  // None where a side of the head box is missing, or it has no size.
  static std::optional<double> head_length(const MatStructs& people, std::size_t p, const std::string& where) {
    const auto x1 = number(people, p, "x1", where), y1 = number(people, p, "y1", where);
    const auto x2 = number(people, p, "x2", where), y2 = number(people, p, "y2", where);
    if (!x1 || !y1 || !x2 || !y2) return std::nullopt;
    const double length = mpii_head_length(*x2 - *x1, *y2 - *y1);
    return length > 0 ? std::optional(length) : std::nullopt;
  }

  // None where the person has no place or scale.
  static std::optional<Box> box(const MatStructs& people, std::size_t p, const std::string& where) {
    const MatValue* const objpos = people.find(p, "objpos");
    const std::optional<double> scale = number(people, p, "scale", where);
    if (objpos == nullptr || !scale || !(*scale > 0)) return std::nullopt;
    if (*scale > farthest_annotation_px / 200) {
      refuse_mat_value(where + ".scale", "a height of at most a million pixels", std::to_string(*scale) + " times 200");
    }
    const MatStructs middle(*objpos, where + ".objpos");
    return mpii_box({required(middle, 0, "x", where + ".objpos"), required(middle, 0, "y", where + ".objpos")}, *scale);
  }

  std::filesystem::path file_;
  MpiiMatPart part_;
  MatRoot root_;
  MatStructs release_;
  MatStructs images_;
  std::vector<double> is_train_;
  std::vector<MatValue> single_;  // numbers of people per image; only where they are wanted
};

}  // namespace detail

/// People of MPII's own annotation file, of the part "train" (empty, too): all that have joints; "single": those of
/// them whom its list single_person names, who stand apart from others and whom MPII's evaluation measures; or FIRST:LAST:
/// all of these images, counted from 1 in annolist's order. The file says nothing of the joints of its test images, and
/// has no validation part.
/// Joints are in MPII's order, which is mpii_joints(); is_visible (a number or a letter) says which are visible and which
/// occluded, and those without it, at the head, are visible. A joint that a person has twice is taken from its first
/// entry, and counted. The head length is 0.6 of the diagonal from (x1, y1) to (x2, y2). The box is that of read_mpii(),
/// by objpos and scale.
/// Shapes: pixels, counted from 1 in the file and from 0 here. Images: options.images, or images/ beside the file, beside
/// it, or a folder further up. Errors: UsageError for another part; DataError naming file, image, person and field.
/// Source: Andriluka et al., CVPR 2014; the README of mpii_human_pose_v1_u12.
inline Annotations read_mpii_mat(const std::filesystem::path& file, const std::string& part = "",
                                 const DataSetOptions& options = {}) {
  return detail::MpiiMatReader(file, part).read(options);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
