// Joints in a table: a row per person, written by a spreadsheet or a script.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/data/sets/csv_writer.hpp>
#include <posemachine/pose/joint_names.hpp>
#include <posemachine/pose/pose.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

inline constexpr std::size_t max_csv_bytes = std::size_t{1} << 30;

// The records of a table, RFC 4180: fields apart by commas, quoted where they hold commas, quotes (twice) or lines.
class CsvTable {
 public:
  CsvTable(std::string text, std::string where) : text_(std::move(text)), where_(std::move(where)) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // as spreadsheets begin a file
  }

  /// The next record that is no empty line; none at the end. Errors: DataError naming file and line.
  std::optional<std::vector<std::string>> next() {
    while (at_ < text_.size()) {
      record_line_ = line_;
      std::vector<std::string> fields = record();
      if (fields.size() > 1 || !fields.front().empty()) return fields;
    }
    return std::nullopt;
  }

  /// "people.csv, line 12", of the last record.
  std::string where() const { return where_ + ", line " + std::to_string(record_line_); }

 private:
  std::vector<std::string> record() {
    std::vector<std::string> fields;
    for (bool more = true; more;) {
      fields.emplace_back();
      if (at_ < text_.size() && text_[at_] == '"') {
        quoted(fields.back());
      } else {
        const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
        fields.back() = text_.substr(at_, end - at_);
        at_ = end;
      }
      more = at_ < text_.size() && text_[at_] == ',';
      if (more) ++at_;
    }
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++line_;
    return fields;
  }

  void quoted(std::string& field) {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        ++at_;
        if (at_ == text_.size() || text_[at_] != '"') return require_end();
      }
      if (text_[at_] == '\n') ++line_;
      field += text_[at_];
    }
    fail<DataError>(
        {.where = where(), .expected = "a quote at the end of a quoted field", .got = "the end of the file"});
  }

  void require_end() const {
    if (at_ == text_.size() || std::string_view(",\r\n").find(text_[at_]) != std::string_view::npos) return;
    fail<DataError>(
        {.where = where(), .expected = "a comma behind a quoted field", .got = excerpt(text_.substr(at_, 1))});
  }

  std::string text_;
  std::string where_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t record_line_ = 1;
};

class CsvReader {
 public:
  explicit CsvReader(const std::filesystem::path& file)
      : file_(file), table_(read_file<DataError>(file, max_csv_bytes), file.string()) {
    const auto header = table_.next();
    if (!header)
      fail<DataError>({.where = file.string(), .expected = "a line of column names", .got = "an empty file"});
    read_header(*header);
  }

  Annotations read(const DataSetOptions& options) {
    ImageFinder finder(file_, options);
    Annotations read{joints_, {}};
    std::map<std::string, int> numbers;  // of images, in the order in which they come
    while (const auto record = table_.next()) {
      if (record->size() != column_count_) {
        fail<DataError>({.where = table_.where(),
                         .expected = std::to_string(column_count_) + " fields, as the first line has",
                         .got = std::to_string(record->size())});
      }
      const std::string& image = (*record)[image_];
      if (image.empty())
        fail<DataError>({.where = table_.where() + ": image", .expected = "a file's name", .got = "none"});
      const int number = numbers.try_emplace(image, static_cast<int>(numbers.size()) + 1).first->second;
      std::optional<Person> person = read_person(*record, finder.find(std::filesystem::path(image)), number);
      if (person) {
        read.people.push_back(std::move(*person));
      } else {
        read.leave_out("people without a labelled joint");
      }
    }
    finish_people(read.people, file_.string(), options, &finder);
    return read;
  }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  struct JointColumns {
    std::size_t x = none, y = none, visibility = none;
  };

  void read_header(const std::vector<std::string>& header) {
    column_count_ = header.size();
    std::map<std::string, std::size_t> columns;
    for (std::size_t i = 0; i < header.size(); ++i) {
      if (columns.emplace(header[i], i).second) continue;
      fail<DataError>(
          {.where = table_.where(), .expected = "every column once", .got = "\"" + excerpt(header[i]) + "\" twice"});
    }
    const auto take = [&](const std::string& name) {
      const auto found = columns.find(name);
      if (found == columns.end()) return none;
      const std::size_t index = found->second;
      columns.erase(found);
      return index;
    };
    image_ = take("image");
    const std::array<const char*, 4> box_names{"box_x", "box_y", "box_width", "box_height"};
    for (std::size_t i = 0; i < 4; ++i) box_[i] = take(box_names[i]);
    const auto given =
        static_cast<std::size_t>(std::count_if(box_.begin(), box_.end(), [](auto i) { return i != none; }));
    if (given != 0 && given != 4) {
      fail<DataError>({.where = table_.where(),
                       .expected = "box_x, box_y, box_width and box_height, or none of them",
                       .got = std::to_string(given) + " of them"});
    }
    head_length_ = take("head_length");
    area_ = take("area");
    std::vector<std::string> names;
    for (const std::string& column : header) {  // in their order
      if (!column.ends_with("_x") || column == "box_x" || column.size() == 2) continue;
      const std::string name = column.substr(0, column.size() - 2);
      JointColumns joint{take(column), take(name + "_y"), take(name + "_v")};
      take(name + "_score");  // as estimate writes it; an annotation has none
      if (joint.y == none) {
        fail<DataError>(
            {.where = table_.where(), .expected = "a column \"" + excerpt(name) + "_y\" beside its _x", .got = "none"});
      }
      write_json<DataError>(name, table_.where());  // models and configurations hold it
      names.push_back(name);
      columns_.push_back(joint);
    }
    const bool unknown = !columns.empty();
    if (image_ == none || names.empty() || unknown) {
      fail<DataError>({.where = table_.where(),
                       .expected =
                           "the columns image, NAME_x, NAME_y and, if it is known, NAME_v (0 unlabelled, 1 occluded, "
                           "2 visible) of each joint, and, if they are known, box_x, box_y, box_width, box_height, "
                           "head_length, area",
                       .got = image_ == none ? "no column \"image\""
                              : unknown      ? "\"" + excerpt(columns.begin()->first) + "\""
                                             : "no joints"});
    }
    try {
      joints_ = joint_set_from_names(file_.stem().string(), std::move(names));
    } catch (const ModelError& error) {
      throw DataError(table_.where() + ": " + error.what());
    }
  }

  // None for an empty field.
  std::optional<double> number(const std::string& field, const std::string& column,
                               double most = farthest_annotation_px) const {
    std::string_view digits = field;
    while (!digits.empty() && digits.front() == ' ') digits.remove_prefix(1);
    while (!digits.empty() && digits.back() == ' ') digits.remove_suffix(1);
    if (digits.empty()) return std::nullopt;
    double value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size() || !(std::abs(value) <= most)) {
      const std::string bound = most == farthest_annotation_px ? "a million" : "a million million";
      fail<DataError>({.where = table_.where() + ": " + excerpt(column),
                       .expected = "a number within " + bound + ", or nothing",
                       .got = "\"" + excerpt(field, 40) + "\""});
    }
    return value;
  }

  std::optional<Person> read_person(const std::vector<std::string>& record, std::filesystem::path image,
                                    int image_number) const {
    Person person{std::move(image), "csv", image_number, {}, Framing::box};
    bool labelled = false;
    for (std::size_t j = 0; j < columns_.size(); ++j) {
      const std::string& name = joints_.joints[j];
      const JointColumns& at = columns_[j];
      Joint& joint = person.joints.emplace_back();
      const auto x = number(record[at.x], name + "_x");
      const auto y = number(record[at.y], name + "_y");
      const auto visibility = at.visibility == none ? std::nullopt : number(record[at.visibility], name + "_v");
      if (visibility && *visibility != 0 && *visibility != 1 && *visibility != 2) {
        fail<DataError>(
            {.where = table_.where() + ": " + name + "_v", .expected = "0, 1 or 2", .got = record[at.visibility]});
      }
      if (visibility == 0.0) continue;
      if (x.has_value() != y.has_value()) {
        fail<DataError>(
            {.where = table_.where() + ": " + name, .expected = "both x and y, or neither", .got = "one of them"});
      }
      if (!x) continue;
      joint.position = {*x, *y};
      joint.state = visibility == 1.0 ? JointState::occluded : JointState::visible;
      labelled = true;
    }
    if (!labelled) return std::nullopt;
    if (box_[0] != none) person.box = read_box(record);
    if (head_length_ != none) person.head_length = measure(record[head_length_], "head_length", farthest_annotation_px);
    if (area_ != none) person.area = measure(record[area_], "area", largest_annotation_area);
    return person;
  }

  std::optional<double> measure(const std::string& field, const char* column, double most) const {
    const std::optional<double> value = number(field, column, most);
    if (!value || *value > 0) return value;
    fail<DataError>(
        {.where = table_.where() + ": " + column, .expected = "a number above 0, or nothing", .got = field});
  }

  std::optional<Box> read_box(const std::vector<std::string>& record) const {
    std::array<std::optional<double>, 4> sides;
    for (std::size_t i = 0; i < 4; ++i) sides[i] = number(record[box_[i]], "box");
    const auto given = std::count_if(sides.begin(), sides.end(), [](const auto& each) { return each.has_value(); });
    if (given == 0) return std::nullopt;
    if (given != 4 || !(*sides[2] > 0) || !(*sides[3] > 0)) {
      fail<DataError>(
          {.where = table_.where() + ": box",
           .expected = "x, y, and a width and height above 0, or nothing",
           .got = record[box_[0]] + ", " + record[box_[1]] + ", " + record[box_[2]] + ", " + record[box_[3]]});
    }
    return Box{*sides[0], *sides[1], *sides[2], *sides[3]};
  }

  std::filesystem::path file_;
  CsvTable table_;
  JointSet joints_;
  std::size_t column_count_ = 0;
  std::size_t image_ = none;
  std::array<std::size_t, 4> box_{none, none, none, none};
  std::size_t head_length_ = none;
  std::size_t area_ = none;
  std::vector<JointColumns> columns_;
};

}  // namespace detail

/// People of a table of comma-separated values, a row per person. Columns, in any order: `image`; `NAME_x`, `NAME_y`
/// and perhaps `NAME_v` (0 unlabelled, 1 occluded, 2 visible) of each joint; perhaps box_x, box_y, box_width,
/// box_height, head_length and area, the last two as Person has them. An empty position is unlabelled; a row without a
/// labelled joint is left out. NAME_score, which csv_format writes, is ignored. Images: as read_coco.
/// Shapes: pixels; the centre of the first one is (0, 0) for joints, its left edge 0 for boxes. Errors: DataError
/// naming file, line and column.
inline Annotations read_csv(const std::filesystem::path& file, const DataSetOptions& options = {}) {
  return detail::CsvReader(file).read(options);
}

inline constexpr DataSetKind csv_set{
    .name = "csv",
    .path = "FILE.csv",
    .parts = "",
    .does = "a table: image, NAME_x, NAME_y, NAME_v per joint, box_{x, y, width, height}, head_length, area",
    .read = [](const DataSource& source, const DataSetOptions& options) { return read_csv(source.path, options); },
    .write = write_csv};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
