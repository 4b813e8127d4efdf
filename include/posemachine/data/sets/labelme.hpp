// LabelMe's annotation: a JSON file beside each image.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/image_folder.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/pose/joint_names.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// Photographs may stand inside, in base64.
inline constexpr JsonLimits labelme_limits{
    .bytes = std::size_t{1} << 28, .depth = 64, .values = 1'000'000, .comments = false};

class LabelmeReader {
 public:
  LabelmeReader(const std::filesystem::path& dir, const DataSetOptions& options) : dir_(dir), options_(options) {
    std::error_code error;
    std::filesystem::directory_iterator entry(dir, error);
    for (const std::filesystem::directory_iterator end; !error && entry != end; entry.increment(error)) {
      const std::filesystem::path& path = entry->path();
      if (lower_case(path.extension().string()) == ".json" && !path.filename().string().starts_with('.')) {
        files_.push_back(path);
      }
    }
    if (error) fail<DataError>({.where = dir.string() + ": cannot be read: " + error.message()});
    if (files_.empty()) {
      fail<DataError>({.where = dir.string(), .expected = "a .json file for each image", .got = "none in this folder"});
    }
    std::sort(files_.begin(), files_.end(), [](const std::filesystem::path& a, const std::filesystem::path& b) {
      return comes_before(a.filename().string(), b.filename().string());
    });
  }

  Annotations read() {
    for (std::size_t i = 0; i < files_.size(); ++i) read_file_of(files_[i], static_cast<int>(i) + 1);
    Annotations read = std::move(read_);
    read.joints = joint_set();
    for (Found& found : found_) {
      found.person.joints.resize(labels_.size());
      for (const auto& [label, joint] : found.joints) found.person.joints[label] = joint;
      read.people.push_back(std::move(found.person));
    }
    finish_people(read.people, dir_.string(), options_);
    return read;
  }

 private:
  struct Found {
    Person person;
    std::map<std::size_t, Joint> joints;  // by the index of the label
  };

  [[noreturn]] static void refuse(const std::string& where, const std::string& expected, const Json& got) {
    fail<DataError>({.where = where, .expected = expected, .got = json_excerpt(got)});
  }

  JointSet joint_set() const {
    if (labels_.empty()) {
      fail<DataError>({.where = dir_.string(),
                       .expected = "shapes of the type point, whose labels are the joints",
                       .got = "none in " + std::to_string(files_.size()) + " files"});
    }
    const std::filesystem::path folder = std::filesystem::absolute(dir_ / "").lexically_normal().parent_path();
    try {
      return joint_set_from_names(classes_.size() == 1 ? *classes_.begin() : folder.filename().string(), labels_);
    } catch (const ModelError& error) {
      throw DataError(dir_.string() + ": labels: " + error.what());
    }
  }

  void read_file_of(const std::filesystem::path& file, int number) {
    const Json json =
        parse_json<DataError>(read_file<DataError>(file, labelme_limits.bytes), file.string(), labelme_limits);
    if (!json.is_object()) refuse(file.string(), "an object with imagePath and shapes", json);
    const Json& shapes = array_member<DataError>(json, "shapes", file.string());
    std::string name = string_member<DataError>(json, "imagePath", file.string());
    std::replace(name.begin(), name.end(), '\\', '/');  // written under Windows
    const std::filesystem::path image = ImageFinder(file, options_).find(std::filesystem::path(name));
    if (!images_.insert(image).second) {
      fail<DataError>(
          {.where = file.string() + ".imagePath", .expected = "every image once", .got = excerpt(name) + " again"});
    }
    check_size(json, image, file.string());
    std::map<std::optional<std::int64_t>, Found> people;  // by group_id
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      const std::string where = file.string() + ": shapes[" + std::to_string(i) + "]";
      const std::string type = string_member<DataError>(shapes[i], "shape_type", where);
      if (type != "point" && type != "rectangle") {
        read_.leave_out("shapes that are no points or rectangles");
        continue;
      }
      Found& found = people[group_of(shapes[i], where)];
      if (type == "point") {
        read_point(shapes[i], where, found);
      } else {
        read_rectangle(shapes[i], where, found);
      }
    }
    for (auto& [group, found] : people) {
      if (found.joints.empty()) {
        read_.leave_out("rectangles without points");
        continue;
      }
      found.person.image = image;
      found.person.dataset = "labelme";
      found.person.number = number;
      found.person.framing = Framing::box;
      found_.push_back(std::move(found));
    }
  }

  // Positions are of the picture that was annotated, which somebody may have made smaller since.
  static void check_size(const Json& json, const std::filesystem::path& image, const std::string& where) {
    const auto side = [&](const char* key) -> std::optional<std::int64_t> {
      if (!json.contains(key) || json[key].is_null()) return std::nullopt;
      return integer_member<DataError>(json, key, where, 1, std::numeric_limits<int>::max());
    };
    const auto width = side("imageWidth"), height = side("imageHeight");
    if (!width || !height) return;
    std::optional<Size> size;
    try {
      size = read_image_header(image).size;
    } catch (const DataError&) {
      return;  // absent or damaged: said where photographs are read
    }
    if (size->width == *width && size->height == *height) return;
    fail<DataError>({.where = where + ": imageWidth, imageHeight",
                     .expected = std::to_string(size->width) + " x " + std::to_string(size->height) + ", the size of " +
                                 image.string(),
                     .got = std::to_string(*width) + " x " + std::to_string(*height),
                     .remedy = "annotate the picture that is there, or bring back the one that was annotated"});
  }

  static std::optional<std::int64_t> group_of(const Json& shape, const std::string& where) {
    if (!shape.contains("group_id") || shape["group_id"].is_null()) return std::nullopt;
    return integer_member<DataError>(shape, "group_id", where, std::numeric_limits<std::int64_t>::min(),
                                     std::numeric_limits<std::int64_t>::max());
  }

  static std::vector<Point> points_of(const Json& shape, const std::string& where) {
    std::vector<Point> points;
    for (const Json& point : array_member<DataError>(shape, "points", where)) {
      const bool fits = point.is_array() && point.size() == 2 && point[0].is_number() && point[1].is_number() &&
                        is_near(point[0].get<double>()) && is_near(point[1].get<double>());
      if (!fits) refuse(where + ".points", "x and y within a million pixels", point);
      points.push_back({point[0].get<double>(), point[1].get<double>()});
    }
    return points;
  }

  // flags: {"occluded": true}, or "occluded" for a description.
  static bool is_occluded(const Json& shape, const std::string& where) {
    if (shape.contains("description") && shape["description"] == "occluded") return true;
    if (!shape.contains("flags") || shape["flags"].is_null()) return false;
    const Json& flags = shape["flags"];
    if (!flags.is_object()) refuse(where + ".flags", "an object", flags);
    return flags.contains("occluded") && boolean_member<DataError>(flags, "occluded", where + ".flags");
  }

  void read_point(const Json& shape, const std::string& where, Found& found) {
    const std::string label = string_member<DataError>(shape, "label", where);
    const std::vector<Point> points = points_of(shape, where);
    if (points.size() != 1) refuse(where + ".points", "one point", points.size());
    const auto known = indices_.try_emplace(label, labels_.size());
    if (known.second) labels_.push_back(label);
    Joint joint;
    joint.position = points.front() - Point{0.5, 0.5};
    joint.state = is_occluded(shape, where) ? JointState::occluded : JointState::visible;
    if (found.joints.emplace(known.first->second, joint).second) return;
    fail<DataError>({.where = where + ".label",
                     .expected = "each joint once per group_id",
                     .got = "\"" + excerpt(label) + "\" again",
                     .remedy = "give every person of an image a group_id of its own"});
  }

  void read_rectangle(const Json& shape, const std::string& where, Found& found) {
    classes_.insert(string_member<DataError>(shape, "label", where));
    const std::vector<Point> points = points_of(shape, where);
    if (points.size() != 2 && points.size() != 4) refuse(where + ".points", "2 or 4 corners", points.size());
    if (found.person.box) {
      fail<DataError>({.where = where,
                       .expected = "one rectangle per group_id",
                       .got = "another",
                       .remedy = "give every person of an image a group_id of its own"});
    }
    double left = points[0].x, right = left, top = points[0].y, bottom = top;
    for (const Point& corner : points) {
      left = std::min(left, corner.x);
      right = std::max(right, corner.x);
      top = std::min(top, corner.y);
      bottom = std::max(bottom, corner.y);
    }
    if (right > left && bottom > top) {
      found.person.box = Box{left, top, right - left, bottom - top};
    } else {
      read_.leave_out("boxes of no area", where);
    }
  }

  std::filesystem::path dir_;
  DataSetOptions options_;
  std::vector<std::filesystem::path> files_;
  std::set<std::filesystem::path> images_;
  std::vector<std::string> labels_;  // the joints, in the order in which they come
  std::map<std::string, std::size_t> indices_;
  std::set<std::string> classes_;
  std::vector<Found> found_;
  Annotations read_;  // what is left out, until all files are read
};

}  // namespace detail

/// People of a folder of LabelMe's JSON files, one per image, in natural order of their names. Shapes of the type point
/// are joints by their labels, in the order in which these first come; a rectangle is a person's box. Those of one
/// group_id are one person, and those without one are another. Other shapes, and people without a point, are left out.
/// A point is occluded where its flags have "occluded": true, or its description is "occluded".
/// Images: imagePath, looked for as read_coco does; a picture of another size than imageWidth and imageHeight is
/// refused. Shapes: pixels from the left top edge of the picture turned upright, as LabelMe draws them: a point at
/// (0.5, 0.5) is the centre of the first pixel, our (0, 0). Errors: DataError naming file, shape and field.
/// Source: LabelMe (Wada), the files that it writes.
inline Annotations read_labelme(const std::filesystem::path& dir, const DataSetOptions& options = {}) {
  return detail::LabelmeReader(dir, options).read();
}

inline constexpr DataSetKind labelme_set{
    .name = "labelme",
    .path = "DIR",
    .parts = "",
    .does = "LabelMe's JSON files, one per image: points by label, people by group_id",
    .read = [](const DataSource& source, const DataSetOptions& options) { return read_labelme(source.path, options); }};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
