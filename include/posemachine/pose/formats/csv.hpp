// Poses as a table of comma-separated values: a row per person, for spreadsheets and data frames.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/model/joint_set.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/pose/pose_format.hpp>

#include <array>
#include <set>
#include <string>
#include <utility>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

inline std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

// A line of column names, each once. Those that mean something to read_csv are taken, written or not.
class CsvHeader {
 public:
  explicit CsvHeader(std::string joint_set) : joint_set_(std::move(joint_set)) {}

  /// `known`: one that read_csv knows by its name. Errors: UsageError where a joint's column is another's, too.
  void add(const std::string& column, bool known = false) {
    if (!known && !columns_.insert(column).second) {
      fail<UsageError>({.where = "csv: joint set " + joint_set_,
                        .expected = "joints that give every column once",
                        .got = "\"" + excerpt(column) + "\" twice"});
    }
    line_ += (line_.empty() ? "" : ",") + csv_field(column);
  }

  std::string line() const { return line_ + "\n"; }

 private:
  std::string joint_set_;
  std::set<std::string> columns_{"image", "box_x", "box_y", "box_width", "box_height", "head_length", "area"};
  std::string line_;
};

inline constexpr std::array<const char*, 4> csv_box_columns{"box_x", "box_y", "box_width", "box_height"};

// Errors: UsageError for names of joints that give one column twice, as "box" does.
inline std::string csv_header(const JointSet& joints) {
  CsvHeader header(joints.name);
  header.add("image", true);
  for (const std::string& name : joints.joints) {
    for (const char* part : {"_x", "_y", "_score"}) header.add(name + part);
  }
  for (const char* column : csv_box_columns) header.add(column, true);
  return header.line();
}

inline std::string csv_rows(const ImagePoses& image, const JointSet&) {
  std::string rows;
  const auto add = [&](double value) { rows += "," + Json(value).dump(); };
  for (const Pose& pose : image.poses) {
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

/// The columns image, NAME_x, NAME_y and NAME_score of each joint, box_x, box_y, box_width and box_height: what
/// read_csv reads, with scores. Shapes: positions in pixels, rounded to 1/1024, empty where a keypoint is missing;
/// scores 0 to 1, rounded to 1/65536. An image without people has no row. Source: RFC 4180, with line feeds alone at
/// the ends of lines.
inline constexpr PoseFormat csv_format{
    .name = "csv",
    .does = "a table with a row per person: image, NAME_x, NAME_y, NAME_score, box_x",
    .file_ending = ".csv",
    .begin = detail::csv_header,
    .text = detail::csv_rows};

}  // namespace posemachine::inline POSEMACHINE_BUILD
