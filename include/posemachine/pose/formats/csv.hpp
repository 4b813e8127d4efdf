// Poses as a table of comma-separated values: a row per person, for spreadsheets and data frames.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/pose/pose_format.hpp>

#include <array>
#include <set>
#include <string>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

std::string csv_field(const std::string& text);

// A line of column names, each once. Those that mean something to read_csv are taken, written or not.
class CsvHeader {
 public:
  explicit CsvHeader(std::string joint_set) : joint_set_(std::move(joint_set)) {}

  /// `known`: one that read_csv knows by its name. Errors: UsageError where a joint's column is another's, too.
  void add(const std::string& column, bool known = false);

  std::string line() const { return line_ + "\n"; }

 private:
  std::string joint_set_;
  std::set<std::string> columns_{"image", "box_x", "box_y", "box_width", "box_height", "head_length", "area"};
  std::string line_;
};

inline constexpr std::array<const char*, 4> csv_box_columns{"box_x", "box_y", "box_width", "box_height"};

// Errors: UsageError for names of joints that give one column twice, as "box" does.
std::string csv_header(const JointSet& joints);

std::string csv_rows(const ImagePoses& image, const JointSet&);

}  // namespace detail

/// The columns image, NAME_x, NAME_y and NAME_score of each joint, box_x, box_y, box_width and box_height: what
/// read_csv reads, with scores. Shapes: positions in pixels, rounded to 1/1024, empty where a keypoint is missing;
/// scores 0 to 1, rounded to 1/65536. An image without people, or of nobody, has no row. Source: RFC 4180, with line feeds alone at
/// the ends of lines.
inline constexpr PoseFormat csv_format{
    .name = "csv",
    .does = "a table with a row per person: image, NAME_x, NAME_y, NAME_score, box_x",
    .file_ending = ".csv",
    .begin = detail::csv_header,
    .text = detail::csv_rows};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/formats/csv.ipp>
#endif
