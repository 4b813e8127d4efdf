// Annotations written as COCO's keypoint format, for this library and others' tools.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/data/written_path.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose.hpp>

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Writes people as COCO's images, annotations and one category, which is named as the joint set. Images are named from
/// the file's folder, with their sizes, where they can be read. `bbox` is person_box(); `area` the person's own, else
/// area_of_box of the box's, as COCO's tools need one. Joints beyond the image are written as occluded; weights,
/// lengths of heads and framing are not written: people are framed by boxes when they are read. Errors: DataError for a
/// name that is not UTF-8; RuntimeFailure where the file cannot be written.
inline void write_coco(const Annotations& annotations, const std::filesystem::path& file) {
  Json skeleton = Json::array();
  for (const Limb& limb : annotations.joints.limbs) skeleton.push_back({limb.from + 1, limb.to + 1});
  Json json;
  json["categories"] = {{{"id", 1},
                         {"name", annotations.joints.name},
                         {"keypoints", annotations.joints.joints},
                         {"skeleton", std::move(skeleton)}}};
  json["images"] = Json::array();
  json["annotations"] = Json::array();
  struct Written {
    int id = 0;
    Size size{};
  };
  std::map<std::filesystem::path, Written> images;
  for (const Person& person : annotations.people) {
    const auto [image, is_new] = images.try_emplace(person.image, Written{static_cast<int>(images.size()) + 1, {}});
    if (is_new) {
      Json entry = {{"id", image->second.id}, {"file_name", detail::written_path(person.image, file)}};
      try {
        image->second.size = read_image_header(person.image).size;
        entry["width"] = image->second.size.width;
        entry["height"] = image->second.size.height;
      } catch (const DataError&) {  // its people may be wanted all the same
      }
      json["images"].push_back(std::move(entry));
    }
    Json keypoints = Json::array();
    int labelled = 0;
    for (const Joint& joint : person.joints) {
      if (!joint.is_labelled()) {
        keypoints.insert(keypoints.end(), {0, 0, 0});
        continue;
      }
      ++labelled;
      keypoints.push_back(joint.position.x);
      keypoints.push_back(joint.position.y);
      keypoints.push_back(joint.state == JointState::visible ? 2 : 1);
    }
    Json entry = {{"id", json["annotations"].size() + 1},
                  {"image_id", image->second.id},
                  {"category_id", 1},
                  {"iscrowd", 0},
                  {"num_keypoints", labelled},
                  {"keypoints", std::move(keypoints)}};
    const Size& size = image->second.size;
    const std::optional<Box> box = size.width > 0 ? person_box(person, size.width, size.height) : person_box(person);
    if (box) {
      entry["bbox"] = {box->x, box->y, box->width, box->height};
      entry["area"] = person.area.value_or(area_of_box * box->width * box->height);
    } else if (person.area) {
      entry["area"] = *person.area;
    }
    json["annotations"].push_back(std::move(entry));
  }
  write_file_atomically(file, write_json<DataError>(json, file.string()) + "\n");
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
