// Annotations written as the table that read_csv reads.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/data/written_path.hpp>
#include <posemachine/pose/formats/csv.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose.hpp>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Writes people as a table: image, NAME_x, NAME_y and NAME_v of each joint; boxes, lengths of heads and areas where
/// somebody has them. Images are named from the file's folder. Positions are exact; joints beyond the image are written
/// as occluded; weights and framing are not written: people are framed by boxes when they are read. Errors: UsageError
/// for names of joints that give one column twice; RuntimeFailure where the file cannot be written. Source: RFC 4180,
/// with line feeds alone at the ends of lines.
inline void write_csv(const Annotations& annotations, const std::filesystem::path& file) {
  const auto has = [&](auto member) {
    return std::any_of(annotations.people.begin(), annotations.people.end(),
                       [&](const Person& person) { return (person.*member).has_value(); });
  };
  const bool boxes = has(&Person::box), head_lengths = has(&Person::head_length), areas = has(&Person::area);
  detail::CsvHeader header(annotations.joints.name);
  header.add("image", true);
  for (const std::string& name : annotations.joints.joints) {
    for (const char* part : {"_x", "_y", "_v"}) header.add(name + part);
  }
  for (const char* column : detail::csv_box_columns) {
    if (boxes) header.add(column, true);
  }
  if (head_lengths) header.add("head_length", true);
  if (areas) header.add("area", true);
  std::string text = header.line();
  const auto add = [&](std::optional<double> value) { text += "," + (value ? Json(*value).dump() : std::string()); };
  for (const Person& person : annotations.people) {
    text += detail::csv_field(detail::written_path(person.image, file));
    for (const Joint& joint : person.joints) {
      if (!joint.is_labelled()) {
        text += ",,,0";
        continue;
      }
      add(joint.position.x);
      add(joint.position.y);
      text += joint.state == JointState::visible ? ",2" : ",1";
    }
    if (boxes) {
      for (const auto side : {&Box::x, &Box::y, &Box::width, &Box::height}) {
        add(person.box ? std::optional((*person.box).*side) : std::nullopt);
      }
    }
    if (head_lengths) add(person.head_length);
    if (areas) add(person.area);
    text += "\n";
  }
  write_file_atomically(file, text);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
