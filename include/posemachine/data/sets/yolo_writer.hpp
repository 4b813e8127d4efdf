// Annotations written as Ultralytics' pose data: a YAML file, labels and links to the images.
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
#include <filesystem>
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

// A line of labels, in shares of the image turned upright.
inline std::string yolo_line(Person person, const Size& size) {
  const std::optional<Box> given = person_box(person, size.width, size.height);
  mark_outside(person.joints, size.width, size.height);
  std::string line = "0";
  const auto add = [&](double value) { line += " " + Json(value).dump(); };
  Box box = given.value_or(Box{});
  const double right = std::clamp(box.x + box.width, 0.0, double(size.width));
  const double bottom = std::clamp(box.y + box.height, 0.0, double(size.height));
  box.x = std::clamp(box.x, 0.0, right);
  box.y = std::clamp(box.y, 0.0, bottom);
  add((box.x + right) / 2 / size.width);
  add((box.y + bottom) / 2 / size.height);
  add((right - box.x) / size.width);
  add((bottom - box.y) / size.height);
  for (const Joint& joint : person.joints) {
    if (!joint.is_labelled() || joint.state == JointState::outside) {
      line += " 0 0 0";
      continue;
    }
    add((joint.position.x + 0.5) / size.width);
    add((joint.position.y + 0.5) / size.height);
    line += joint.state == JointState::visible ? " 2" : " 1";
  }
  return line + "\n";
}

inline void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail<RuntimeFailure>({.where = folder.string(), .got = "cannot be made: " + error.message()});
}

// A name that no other image of the data has, whatever their endings: labels are told by it.
inline std::string unique_stem(const std::filesystem::path& image, std::set<std::string>& taken) {
  const std::string stem = image.stem().string();
  std::string name = stem;
  for (int count = 2; !taken.insert(name).second; ++count) name = stem + "_" + std::to_string(count);
  return name;
}

}  // namespace detail

/// Writes people as Ultralytics' pose data: `path` is the YAML file, or the folder for a data.yaml; images/train and
/// labels/train are made beside it, and must not be there yet. Images are symbolic links to the files where they are;
/// of several of one name the later ones get a number. One class, named as the joint set; kpt_shape, flip_idx and
/// kpt_names; train and val are the same images. The box is person_box() within the image. Joints beyond the image,
/// which the format cannot have, become unlabelled; lengths of heads, areas, weights and framing are not written.
/// Errors: UsageError for folders that are there already; DataError for an image whose header cannot be read, which
/// has no size, and for a name that is not UTF-8; RuntimeFailure where something cannot be written.
inline void write_yolo(const Annotations& annotations, const std::filesystem::path& path) {
  const std::string ending = path.extension().string();
  const std::filesystem::path file = ending == ".yaml" || ending == ".yml" ? path : path / "data.yaml";
  const std::filesystem::path folder = std::filesystem::absolute(file).parent_path();
  const std::filesystem::path images = folder / "images" / "train", labels = folder / "labels" / "train";
  for (const std::filesystem::path& each : {images, labels}) {
    std::error_code error;
    if (!std::filesystem::exists(each, error)) continue;
    fail<UsageError>({.where = "yolo:" + path.string(),
                      .expected = "a folder without images/train and labels/train",
                      .got = each.string(),
                      .remedy = "choose another folder: what is there would mix with what is written"});
  }
  std::vector<std::filesystem::path> order;
  std::map<std::filesystem::path, std::string> lines;  // of each image
  std::map<std::filesystem::path, Size> sizes;
  for (const Person& person : annotations.people) {
    const auto [size, is_new] = sizes.try_emplace(person.image);
    if (is_new) {
      size->second = read_image_header(person.image).size;
      order.push_back(person.image);
    }
    lines[person.image] += detail::yolo_line(person, size->second);
  }
  Json yaml = {{"names", {{"0", annotations.joints.name}}},
               {"kpt_names", {{"0", annotations.joints.joints}}},
               {"flip_idx", mirror(annotations.joints)}};
  const auto text_of = [&](const char* key) { return write_json<DataError>(yaml[key], file.string()); };
  std::string text = "train: images/train\nval: images/train  # the same: this data set has no part of its own\n";
  text += "kpt_shape: [" + std::to_string(annotations.joints.joints.size()) + ", 3]  # x, y, visibility\n";
  text += "flip_idx: " + text_of("flip_idx") + "\n";
  text += "names:\n  0: " + write_json<DataError>(yaml["names"]["0"], file.string()) + "\n";
  text += "kpt_names:\n  0: " + write_json<DataError>(yaml["kpt_names"]["0"], file.string()) + "\n";
  detail::make_folder(images);
  detail::make_folder(labels);
  std::set<std::string> taken;
  for (const std::filesystem::path& image : order) {
    const std::string stem = detail::unique_stem(image, taken);
    const std::filesystem::path link = images / (stem + image.extension().string());
    std::error_code error;
    std::filesystem::create_symlink(std::filesystem::absolute(image).lexically_normal(), link, error);
    if (error) fail<RuntimeFailure>({.where = link.string(), .got = "cannot be made: " + error.message()});
    write_file_atomically(labels / (stem + ".txt"), lines[image]);
  }
  write_file_atomically(file, text);  // last: what it names is there
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
