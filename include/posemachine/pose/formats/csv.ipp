// The definitions of pose/formats/csv.hpp.
#pragma once

#include <posemachine/pose/formats/csv.hpp>

#include <posemachine/base/text.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

POSEMACHINE_INLINE void CsvHeader::add(const std::string& column, bool known) {
  if (!known && !columns_.insert(column).second) {
    fail<UsageError>({.where = "csv: joint set " + joint_set_,
                      .expected = "joints that give every column once",
                      .got = "\"" + excerpt(column) + "\" twice"});
  }
  line_ += (line_.empty() ? "" : ",") + csv_field(column);
}

POSEMACHINE_INLINE std::string csv_header(const JointSet& joints) {
  CsvHeader header(joints.name);
  header.add("image", true);
  for (const std::string& name : joints.joints) {
    for (const char* part : {"_x", "_y", "_score"}) header.add(name + part);
  }
  for (const char* column : csv_box_columns) header.add(column, true);
  return header.line();
}

POSEMACHINE_INLINE std::string csv_rows(const ImagePoses& image, const JointSet&) {
  std::string rows;
  const auto add = [&](double value) { rows += "," + Json(value).dump(); };
  for (const Pose& pose : poses_of_people(image)) {
    rows += csv_field(image.image);
    for (const Keypoint& keypoint : pose.keypoints) {
      if (keypoint.found()) {
        add(rounded_position(keypoint.position.x));
        add(rounded_position(keypoint.position.y));
      } else {
        rows += ",,";
      }
      add(rounded_score(keypoint.score));
    }
    for (const double side : {pose.box.x, pose.box.y, pose.box.width, pose.box.height}) add(side);
    rows += "\n";
  }
  return rows;
}

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
