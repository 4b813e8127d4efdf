// COCO's keypoint annotation, as COCO, CVAT, Label Studio, Roboflow and others write it.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/data/annotation_json.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/data/sets/coco_writer.hpp>
#include <posemachine/pose/joint_names.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

class CocoReader {
 public:
  CocoReader(const std::filesystem::path& file, std::string part) : file_(file), part_(std::move(part)) {
    json_ = read_annotation_json(file);
    if (!json_.is_object()) refuse(file.string(), "an object with images, annotations and categories", json_);
  }

  Annotations read(const DataSetOptions& options) {
    Annotations read;
    read.joints = read_joints();
    read_images(options);
    const Json& annotations = list("annotations");
    std::set<std::int64_t> seen;
    for (std::size_t i = 0; i < annotations.size(); ++i) {
      const std::string where = at("annotations", i);
      const Json& annotation = annotations[i];
      if (!annotation.is_object()) refuse(where, "an object", annotation);
      if (annotation.contains("id") && !seen.insert(id_member(annotation, "id", where)).second) {
        fail<DataError>(
            {.where = where + ".id", .expected = "every annotation once", .got = annotation["id"].dump() + " again"});
      }
      if (!is_wanted(annotation, where, read)) continue;
      std::optional<Person> person = read_person(annotation, where, read.joints);
      if (!person) {
        read.leave_out("people without a labelled joint");
        continue;
      }
      if (!person->box && annotation.contains("bbox") && !annotation["bbox"].is_null()) {
        // Of zeros alone, as tools write that were given none, it is no fault.
        const bool is_none = annotation["bbox"] == Json{0, 0, 0, 0};
        read.leave_out("boxes of no area", is_none ? "" : where + ".bbox");
      }
      read.people.push_back(std::move(*person));
    }
    const ImageFinder finder(file_, options);
    finish_people(read.people, file_.string(), options, &finder);
    return read;
  }

 private:
  struct ImageEntry {
    std::filesystem::path file;
    int number = 0;  // its position in the list, from 1
  };

  [[noreturn]] static void refuse(const std::string& where, const std::string& expected, const Json& got) {
    fail<DataError>({.where = where, .expected = expected, .got = json_excerpt(got)});
  }

  std::string at(const char* key, std::size_t index) const {
    return file_.string() + ": " + key + "[" + std::to_string(index) + "]";
  }

  const Json& list(const char* key) const { return array_member<DataError>(json_, key, file_.string()); }

  // Whether an annotation is of a person with keypoints; what is left out otherwise is counted.
  bool is_wanted(const Json& annotation, const std::string& where, Annotations& read) const {
    const std::int64_t category = id_member(annotation, "category_id", where);
    if (!categories_.contains(category)) {
      const bool is_listed = listed_.contains(category);
      read.leave_out(is_listed ? "annotations of other categories" : "annotations of categories that are not listed",
                     is_listed ? "" : where + ".category_id");
      return false;
    }
    if (is_crowd(annotation, where)) {
      read.leave_out("crowds");
      return false;
    }
    if (annotation.contains("keypoints") && !annotation["keypoints"].empty()) return true;
    const bool is_null = annotation.contains("keypoints") && annotation["keypoints"].is_null();
    read.leave_out(is_null ? "annotations whose keypoints are null" : "annotations without keypoints",
                   is_null ? where + ".keypoints" : "");
    return false;
  }

  // The joints of the categories that have some. Several must have the same, or PART says which one is meant.
  JointSet read_joints() {
    const Json& categories = list("categories");
    std::vector<std::string> joints;
    std::vector<std::pair<int, int>> limbs;
    std::string name;
    std::string known;
    for (std::size_t i = 0; i < categories.size(); ++i) {
      const std::string where = at("categories", i);
      const Json& category = categories[i];
      if (!category.is_object()) refuse(where, "an object", category);
      if (category.contains("id") && category["id"].is_number_integer()) {
        listed_.insert(category["id"].get<std::int64_t>());
      }
      if (!category.contains("keypoints")) continue;
      const std::string called = string_member<DataError>(category, "name", where);
      known += (known.empty() ? "" : ", ") + excerpt(called);
      if (!part_.empty() && called != part_) continue;
      std::vector<std::string> found;
      for (const Json& joint : array_member<DataError>(category, "keypoints", where)) {
        if (!joint.is_string()) refuse(where + ".keypoints", "names", joint);
        found.push_back(joint.get<std::string>());
      }
      if (found.empty()) continue;
      if (!joints.empty() && found != joints) {
        fail<DataError>({.where = where + ".keypoints",
                         .expected = "the joints of category " + name,
                         .got = "others",
                         .remedy = "say which category is meant: coco:" + file_.string() + ":" + called});
      }
      categories_.insert(id_member(category, "id", where));
      if (!joints.empty()) continue;
      joints = std::move(found);
      name = called;
      if (category.contains("skeleton")) limbs = read_limbs(category["skeleton"], where + ".skeleton", joints.size());
    }
    if (joints.empty()) {
      fail<DataError>({.where = file_.string() + ": categories",
                       .expected = part_.empty() ? "one with keypoints" : "\"" + excerpt(part_) + "\", with keypoints",
                       .got = known.empty() ? "none" : known});
    }
    try {
      return joint_set_from_names(name, std::move(joints), limbs);
    } catch (const ModelError& error) {
      throw DataError(file_.string() + ": categories: " + error.what());
    }
  }

  static std::vector<std::pair<int, int>> read_limbs(const Json& skeleton, const std::string& where,
                                                     std::size_t joint_count) {
    std::vector<std::pair<int, int>> limbs;
    if (!skeleton.is_array()) refuse(where, "a list of pairs of joints", skeleton);
    for (const Json& limb : skeleton) {
      const auto is_joint = [&](const Json& joint) {
        return joint.is_number_unsigned() && joint.get<std::uint64_t>() >= 1 &&
               joint.get<std::uint64_t>() <= joint_count;
      };
      if (!limb.is_array() || limb.size() != 2 || !is_joint(limb[0]) || !is_joint(limb[1])) {
        refuse(where, "pairs of joints from 1 to " + std::to_string(joint_count), limb);
      }
      limbs.emplace_back(limb[0].get<int>() - 1, limb[1].get<int>() - 1);
    }
    return limbs;
  }

  void read_images(const DataSetOptions& options) {
    ImageFinder finder(file_, options);
    const Json& images = list("images");
    for (std::size_t i = 0; i < images.size(); ++i) {
      const std::string where = at("images", i);
      if (!images[i].is_object()) refuse(where, "an object", images[i]);
      const std::string name = string_member<DataError>(images[i], "file_name", where);
      const ImageEntry entry{finder.find(std::filesystem::path(name)), static_cast<int>(i) + 1};
      if (!images_.emplace(id_member(images[i], "id", where), entry).second) {
        fail<DataError>(
            {.where = where + ".id", .expected = "every image once", .got = images[i]["id"].dump() + " again"});
      }
    }
  }

  // None for a person of whom no joint is labelled.
  std::optional<Person> read_person(const Json& annotation, const std::string& where, const JointSet& joints) const {
    const std::int64_t image_id = id_member(annotation, "image_id", where);
    const auto image = images_.find(image_id);
    if (image == images_.end()) {
      fail<DataError>(
          {.where = where + ".image_id", .expected = "the id of an image", .got = std::to_string(image_id)});
    }
    const Json& numbers = array_member<DataError>(annotation, "keypoints", where);
    if (numbers.size() != 3 * joints.joints.size()) {
      fail<DataError>({.where = where + ".keypoints",
                       .expected = std::to_string(3 * joints.joints.size()) + " numbers, x, y and visibility of " +
                                   std::to_string(joints.joints.size()) + " joints",
                       .got = std::to_string(numbers.size())});
    }
    Person person{image->second.file, "coco", image->second.number, {}, Framing::box};
    bool labelled = false;
    for (std::size_t j = 0; j < joints.joints.size(); ++j) {
      for (std::size_t f = 0; f < 3; ++f) {
        if (!numbers[3 * j + f].is_number()) {
          refuse(where + ".keypoints[" + std::to_string(3 * j + f) + "]", "a number", numbers[3 * j + f]);
        }
      }
      const double visibility = numbers[3 * j + 2].get<double>();
      if (visibility != 0 && visibility != 1 && visibility != 2) {
        refuse(where + ".keypoints[" + std::to_string(3 * j + 2) + "]", "a visibility of 0, 1 or 2",
               numbers[3 * j + 2]);
      }
      Joint& joint = person.joints.emplace_back();
      if (visibility == 0) continue;
      joint.position = {numbers[3 * j].get<double>(), numbers[3 * j + 1].get<double>()};
      if (!is_near(joint.position.x) || !is_near(joint.position.y)) {
        refuse(where + ".keypoints[" + std::to_string(3 * j) + "]", "a position within a million pixels",
               numbers[3 * j]);
      }
      joint.state = visibility == 1 ? JointState::occluded : JointState::visible;
      labelled = true;
    }
    if (!labelled) return std::nullopt;
    if (annotation.contains("bbox") && !annotation["bbox"].is_null()) person.box = read_box(annotation["bbox"], where);
    if (annotation.contains("area") && !annotation["area"].is_null())
      person.area = read_area(annotation["area"], where);
    return person;
  }

  // None for a box of no area, as tools write that were given none.
  static std::optional<Box> read_box(const Json& box, const std::string& where) {
    const bool fits = box.is_array() && box.size() == 4 &&
                      std::all_of(box.begin(), box.end(), [](const Json& each) { return each.is_number(); });
    if (!fits) refuse(where + ".bbox", "x, y, width and height", box);
    const Box read{box[0].get<double>(), box[1].get<double>(), box[2].get<double>(), box[3].get<double>()};
    if (!is_near(read.x) || !is_near(read.y) || !is_near(read.width) || !is_near(read.height)) {
      refuse(where + ".bbox", "a box within a million pixels", box);
    }
    if (read.width < 0 || read.height < 0) refuse(where + ".bbox", "a width and height of at least 0", box);
    if (read.width == 0 || read.height == 0) return std::nullopt;
    return read;
  }

  // None for 0, as tools write that were given no outline.
  static std::optional<double> read_area(const Json& area, const std::string& where) {
    if (!area.is_number() || std::abs(area.get<double>()) > largest_annotation_area) {
      refuse(where + ".area", "a number of square pixels", area);
    }
    return area.get<double>() > 0 ? std::optional(area.get<double>()) : std::nullopt;
  }

  std::filesystem::path file_;
  std::string part_;
  Json json_;
  std::set<std::int64_t> categories_;  // ids of those whose people are read
  std::set<std::int64_t> listed_;      // ids of all
  std::map<std::int64_t, ImageEntry> images_;
};

}  // namespace detail

/// People of COCO's keypoint format: images (id, file_name), annotations (image_id, category_id, keypoints, bbox,
/// area, iscrowd) and categories (keypoints, skeleton). Left out are crowds, categories and annotations without
/// keypoints, and people without a labelled joint; Annotations::left_out counts them. A person's box is bbox; without
/// one, or where it has no area, that of the labelled joints is taken.
/// Shapes: keypoints x, y and visibility (0 unlabelled, 1 occluded, 2 visible) per joint, in pixels, the centre of the
/// first one being (0, 0). Images: options.images, or images/ beside the file, beside it, or a folder further up.
/// Errors: DataError naming file, entry and field. Source: COCO's data format, cocodataset.org.
inline Annotations read_coco(const std::filesystem::path& file, const std::string& category = "",
                             const DataSetOptions& options = {}) {
  return detail::CocoReader(file, category).read(options);
}

inline constexpr DataSetKind coco_set{
    .name = "coco",
    .path = "FILE.json",
    .parts = "the name of a category",
    .does = "keypoints as COCO has them, and most tools write them",
    .read = [](const DataSource& source,
               const DataSetOptions& options) { return read_coco(source.path, source.part, options); },
    .write = write_coco};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
