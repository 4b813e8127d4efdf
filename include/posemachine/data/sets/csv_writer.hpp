// Annotations written as the table that read_csv reads.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/data/written_path.hpp>
#include <posemachine/model/joint_set.hpp>
#include <posemachine/pose/formats/csv.hpp>
#include <posemachine/pose/pose.hpp>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <string>

namespace posemachine::inline POSEMACHINE_BUILD {

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
  // Taken whether they are written or not: read_csv knows them by their names.
  std::set<std::string> columns{"box_x", "box_y", "box_width", "box_height", "head_length", "area"};
  std::string text;
  const auto add_column = [&](const std::string& name) {
    if (!columns.insert(name).second) {
      fail<UsageError>({.where = "csv: joint set " + annotations.joints.name,
                        .expected = "joints that give every column once",
                        .got = "\"" + detail::excerpt(name) + "\" twice"});
    }
    text += (text.empty() ? "" : ",") + detail::csv_field(name);
  };
  add_column("image");
  for (const std::string& name : annotations.joints.joints) {
    for (const char* part : {"_x", "_y", "_v"}) add_column(name + part);
  }
  if (boxes) text += ",box_x,box_y,box_width,box_height";
  if (head_lengths) text += ",head_length";
  if (areas) text += ",area";
  text += "\n";
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

}  // namespace posemachine::inline POSEMACHINE_BUILD
