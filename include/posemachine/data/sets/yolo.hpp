// Ultralytics' pose data: a YAML file that names folders of images, and a text file of labels beside each image.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/sets/yolo_labels.hpp>
#include <posemachine/data/sets/yolo_writer.hpp>
#include <posemachine/data/yaml_file.hpp>
#include <posemachine/pose/joint_names.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/known_joint_sets.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

inline constexpr std::size_t max_image_list_bytes = std::size_t{1} << 30;
inline constexpr int max_folder_depth = 16;  // of links that lead in a circle, too

/// Joints that have numbers for names; pairs as `mirrored` has them, the lower number for left.
inline JointSet numbered_joints(const std::string& name, const std::vector<int>& mirrored) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < mirrored.size(); ++i) names.push_back("joint_" + std::to_string(i + 1));
  JointSet set = joint_set_from_names(name, names);
  set.groups.clear();
  for (std::size_t i = 0; i < mirrored.size(); ++i) {
    const int joint = static_cast<int>(i);
    const int other = mirrored[i];
    if (other == joint) set.groups.push_back({names[i], {joint}});
    if (other <= joint) continue;
    set.groups.push_back({names[i] + ", " + names[static_cast<std::size_t>(other)], {joint, other}});
    set.pairs.emplace_back(joint, other);
  }
  return set;
}

class YoloReader {
 public:
  YoloReader(const std::filesystem::path& file, const std::string& part)
      : file_(file), part_(part.empty() ? "train" : part), yaml_(read_yaml(file)) {
    if (part_ != "train" && part_ != "val" && part_ != "test") {
      fail<UsageError>({.where = "yolo:" + file.string(),
                        .expected = "the part train, val or test",
                        .got = "\"" + excerpt(part_) + "\""});
    }
    if (!yaml_.is_object()) refuse(file.string(), "a mapping with kpt_shape, names, train and val", yaml_);
    read_classes();
    read_joints();
    // As written, and where that is nowhere, as a data set that was moved as a whole still is.
    const std::filesystem::path folder = std::filesystem::absolute(file).parent_path();
    if (has("path")) roots_.push_back(folder / string_member<DataError>(yaml_, "path", file.string()));
    roots_.push_back(folder);
  }

  Annotations read(const DataSetOptions& options) {
    Annotations read{joints_, {}};
    find_images();
    const YoloLabels labels_reader(joints_, has_visibility_, class_count_);
    std::size_t labelled = 0;
    for (std::size_t i = 0; i < images_.size(); ++i) {
      const std::filesystem::path labels = yolo_labels_of(images_[i]);
      std::error_code error;
      const bool there = std::filesystem::exists(labels, error);
      if (error) fail<DataError>({.where = labels.string() + ": " + error.message()});
      if (!there) continue;  // a photograph of nobody
      ++labelled;
      labels_reader.read(labels, images_[i], static_cast<int>(i) + 1, read);
    }
    if (labelled == 0) {
      fail<DataError>({.where = file_.string() + ": " + part_,
                       .expected = "files of labels, " + yolo_labels_of(images_.front()).string() + " for one",
                       .got = "none for " + std::to_string(images_.size()) + " images"});
    }
    finish_people(read.people, file_.string() + ": " + part_, options);
    return read;
  }

 private:
  [[noreturn]] static void refuse(const std::string& where, const std::string& expected, const Json& got) {
    fail<DataError>({.where = where, .expected = expected, .got = json_excerpt(got)});
  }

  std::string at(const char* key) const { return file_.string() + ": " + key; }

  // A key without a value is as good as none.
  bool has(const char* key) const { return yaml_.contains(key) && !yaml_[key].is_null(); }

  static bool is_index(const Json& value, std::int64_t count) {
    return value.is_number_integer() && value.get<std::int64_t>() >= 0 && value.get<std::int64_t>() < count;
  }

  // names: a list, or a mapping of classes to names. nc: how many there are.
  void read_classes() {
    if (has("nc")) class_count_ = integer_member<DataError>(yaml_, "nc", file_.string(), 1, 1'000'000);
    if (!has("names")) {
      if (class_count_ == 0) fail<DataError>({.where = at("names"), .expected = "names of classes", .got = "nothing"});
      return;
    }
    const Json& names = yaml_["names"];
    if (!names.is_structured() || names.empty()) refuse(at("names"), "names of classes", names);
    const auto count = static_cast<std::int64_t>(names.size());
    if (class_count_ != 0 && class_count_ != count) {
      refuse(at("nc"), std::to_string(count) + ", as there are names", yaml_["nc"]);
    }
    class_count_ = count;
    for (const auto& [key, name] : names.items()) {
      if (names.is_object()) class_of(key, "names");
      if (!name.is_string() && !name.is_number()) refuse(at("names") + "." + excerpt(key), "a name", name);
    }
    const Json& first = *names.begin();
    if (count == 1 && first.is_string()) name_ = first.get<std::string>();
  }

  std::int64_t class_of(const std::string& text, const char* key) const {
    std::int64_t number = -1;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec == std::errc{} && read.ptr == text.data() + text.size() && number >= 0 && number < class_count_) {
      return number;
    }
    fail<DataError>({.where = at(key),
                     .expected = "classes from 0 to " + std::to_string(class_count_ - 1),
                     .got = "\"" + excerpt(text) + "\""});
  }

  void read_joints() {
    if (name_.empty()) name_ = file_.stem().string();
    const Json& shape = array_member<DataError>(yaml_, "kpt_shape", file_.string());
    const bool fits = shape.size() == 2 && is_index(shape[0], max_joint_count + 1) && shape[0] != 0 &&
                      (shape[1] == 2 || shape[1] == 3);
    if (!fits) {
      refuse(at("kpt_shape"), "[joints, 2 or 3] with 1 to " + std::to_string(max_joint_count) + " joints", shape);
    }
    const auto count = shape[0].get<std::size_t>();
    has_visibility_ = shape[1] == 3;
    const std::optional<std::vector<int>> mirrored = read_mirrored(count);
    const std::vector<std::string> names = read_names(count);
    const JointSet coco = coco_joints(name_);
    if (names.empty() && !mirrored) {
      fail<DataError>({.where = at("flip_idx"),
                       .expected = "the joint that each one is when the image is mirrored: joints without names do not "
                                   "tell left from right",
                       .got = "nothing",
                       .remedy = "add flip_idx; [0, 1, 2, ...] where mirroring exchanges none"});
    }
    try {
      const bool is_coco = names.empty() ? *mirrored == mirror(coco) : names == coco.joints;
      joints_ = is_coco ? coco : names.empty() ? numbered_joints(name_, *mirrored) : joint_set_from_names(name_, names);
    } catch (const ModelError& error) {
      throw DataError(at("kpt_names") + ": " + error.what());
    }
    if (mirrored && *mirrored != mirror(joints_)) {
      fail<DataError>({.where = at("flip_idx"),
                       .expected = Json(mirror(joints_)).dump() + ", as the names in kpt_names say",
                       .got = Json(*mirrored).dump(),
                       .remedy = "correct one of the two"});
    }
  }

  std::optional<std::vector<int>> read_mirrored(std::size_t count) const {
    if (!has("flip_idx")) return std::nullopt;
    const Json& list = yaml_["flip_idx"];
    const std::string expected = std::to_string(count) + " joints from 0 to " + std::to_string(count - 1) +
                                 ", such that mirroring twice changes nothing";
    if (!list.is_array() || list.size() != count) refuse(at("flip_idx"), expected, list);
    std::vector<int> mirrored;
    for (const Json& joint : list) {
      if (!is_index(joint, static_cast<std::int64_t>(count))) refuse(at("flip_idx"), expected, list);
      mirrored.push_back(joint.get<int>());
    }
    for (std::size_t i = 0; i < count; ++i) {
      const int back = mirrored[static_cast<std::size_t>(mirrored[i])];
      if (static_cast<std::size_t>(back) != i) refuse(at("flip_idx"), expected, list);
    }
    return mirrored;
  }

  // Of every class the same; none where there is no kpt_names.
  std::vector<std::string> read_names(std::size_t count) const {
    if (!has("kpt_names")) return {};
    const Json& given = yaml_["kpt_names"];
    if (!given.is_object() || given.empty()) refuse(at("kpt_names"), "a list of joints' names for every class", given);
    std::vector<std::string> names;
    for (const auto& [key, list] : given.items()) {
      const std::string where = at("kpt_names") + "." + std::to_string(class_of(key, "kpt_names"));
      if (!list.is_array() || list.size() != count) {
        refuse(where, std::to_string(count) + " names, as kpt_shape has joints", list);
      }
      std::vector<std::string> found;
      for (const Json& name : list) {
        if (!name.is_string()) refuse(where, "names", name);
        found.push_back(name.get<std::string>());
      }
      if (!names.empty() && found != names) refuse(where, "the joints of the other classes", list);
      names = std::move(found);
    }
    return names;
  }

  void find_images() {
    const char* const key = part_ == "val" && !has("val") && has("validation") ? "validation" : part_.c_str();
    if (!has(key)) {
      fail<DataError>({.where = at(key),
                       .expected = "a folder of images, a .txt list of images, or a list of those",
                       .got = "nothing"});
    }
    const Json& given = yaml_[key];
    const std::size_t entries = given.is_array() ? given.size() : 1;
    for (std::size_t i = 0; i < entries; ++i) {
      const Json& entry = given.is_array() ? given[i] : given;
      const std::string where = at(key) + (given.is_array() ? "[" + std::to_string(i) + "]" : "");
      if (!entry.is_string() || entry.get<std::string>().empty()) refuse(where, "a folder or a .txt list", entry);
      add_images(entry.get<std::string>(), where);
    }
    if (images_.empty()) {
      fail<DataError>({.where = at(key), .expected = "images (.jpg, .jpeg, .png)", .got = "none"});
    }
  }

  // Roboflow's ../train/images is meant as train/images beside the file, and so Ultralytics takes it.
  std::optional<std::filesystem::path> find(const std::string& entry) const {
    for (const std::filesystem::path& root : roots_) {
      const std::string_view below = entry.starts_with("../") ? std::string_view(entry).substr(3) : "";
      for (const std::string_view each : {std::string_view(entry), below}) {
        std::error_code error;
        if (!each.empty() && std::filesystem::exists(root / each, error)) return (root / each).lexically_normal();
      }
    }
    return std::nullopt;
  }

  void add_images(const std::string& entry, const std::string& where) {
    const std::optional<std::filesystem::path> found = find(entry);
    std::error_code error;
    if (found && std::filesystem::is_directory(*found, error)) return add_folder(*found);
    if (found && found->extension() == ".txt") return add_list(*found);
    fail<DataError>({.where = where,
                     .expected = "a folder of images or a .txt list of images",
                     .got = found ? found->string() : "\"" + excerpt(entry, 200) + "\", which is not there",
                     .remedy = found ? "" : "looked for in " + roots_.front().lexically_normal().string()});
  }

  void add_folder(const std::filesystem::path& folder) {
    constexpr std::array<std::string_view, 8> endings{".jpg", ".jpeg", ".png",  ".bmp",
                                                      ".tif", ".tiff", ".webp", ".heic"};  // some are refused by name
    const std::size_t first = images_.size();
    std::error_code error;
    std::filesystem::recursive_directory_iterator at(
        folder, std::filesystem::directory_options::follow_directory_symlink, error);
    for (const std::filesystem::recursive_directory_iterator end; !error && at != end; at.increment(error)) {
      if (at.depth() > max_folder_depth) {
        fail<DataError>({.where = folder.string(),
                         .expected = "at most " + std::to_string(max_folder_depth) + " folders within each other",
                         .got = at->path().string()});
      }
      const std::string ending = lower_case(at->path().extension().string());
      const bool hidden = at->path().filename().string().starts_with('.');
      if (hidden) at.disable_recursion_pending();
      if (hidden || std::find(endings.begin(), endings.end(), ending) == endings.end()) continue;
      std::error_code unknown;
      if (!at->is_directory(unknown)) images_.push_back(at->path());
    }
    if (error) fail<DataError>({.where = folder.string() + ": cannot be read: " + error.message()});
    std::sort(images_.begin() + static_cast<std::ptrdiff_t>(first), images_.end(),
              [](const auto& a, const auto& b) { return a.string() < b.string(); });
  }

  // An image per line, relative to the list or to the root.
  void add_list(const std::filesystem::path& list) {
    const std::string text = read_file<DataError>(list, max_image_list_bytes);
    for_each_text_line(text, [&](std::string_view line, std::size_t) {
      const std::filesystem::path image{std::string(line)};
      std::error_code error;
      const std::filesystem::path beside = list.parent_path() / image;
      const bool from_root =
          !std::filesystem::exists(beside, error) && std::filesystem::exists(roots_.front() / image, error);
      images_.push_back((from_root ? roots_.front() / image : beside).lexically_normal());
    });
  }

  std::filesystem::path file_;
  std::string part_;
  Json yaml_;
  std::string name_;
  std::int64_t class_count_ = 0;
  bool has_visibility_ = false;
  JointSet joints_;
  std::vector<std::filesystem::path> roots_;
  std::vector<std::filesystem::path> images_;
};

}  // namespace detail

/// People of Ultralytics' pose data, of the part "train" (empty, too), "val" or "test". The YAML file has kpt_shape,
/// names or nc, the parts, perhaps path, and flip_idx or kpt_names: joints without names are joint_1, joint_2, ..., or
/// COCO's 17 where flip_idx is that of COCO. Classes are read alike. The labels of .../images/a.jpg are
/// .../labels/a.txt, a line per person; an image without them shows nobody. People without a labelled joint are left
/// out; those of an image whose header is damaged are kept with no joint labelled, for the image to be named where it
/// is read.
/// Shapes: labels are shares of the width and height of the picture turned upright; share s of width w becomes
/// s * w - 0.5 for joints, the centre of the first pixel being 0, and s * w for boxes, from its left edge.
/// Errors: UsageError for another part; DataError naming file, key or line, and field.
/// Source: Ultralytics' documentation, "Pose Estimation Datasets Overview".
inline Annotations read_yolo(const std::filesystem::path& file, const std::string& part = "",
                             const DataSetOptions& options = {}) {
  return detail::YoloReader(file, part).read(options);
}

/// Whether the YAML file names images for validation, "val", other than those to train on. Errors: DataError for a file
/// that is no YAML.
inline bool has_yolo_validation(const std::filesystem::path& file) {
  const Json yaml = read_yaml(file);
  if (!yaml.is_object()) return false;
  for (const char* key : {"val", "validation"}) {
    if (yaml.contains(key) && !yaml[key].is_null()) return !yaml.contains("train") || yaml[key] != yaml["train"];
  }
  return false;
}

inline constexpr DataSetKind yolo_set{
    .name = "yolo",
    .path = "FILE.yaml",
    .parts = "train (also without PART), val or test",
    .does = "Ultralytics' pose data: images/ beside labels/",
    .read = [](const DataSource& source,
               const DataSetOptions& options) { return read_yolo(source.path, source.part, options); },
    .takes_images = false,
    .parts_are_images = true,
    .write = write_yolo};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
