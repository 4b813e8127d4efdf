// MatValue and MatStructs: what lies within a variable of a MATLAB v5 file that is a struct or a cell array.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/mat_file.hpp>
#include <posemachine/data/mat_header.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace detail {

inline constexpr std::size_t max_mat_bytes = std::size_t{1} << 30;  // of a variable, uncompressed; MPII's has 0.2 GB

[[noreturn]] inline void refuse_mat_value(const std::string& where, const std::string& expected,
                                          const std::string& got) {
  fail<DataError>({.where = where, .expected = expected, .got = got});
}

/// An array within a variable: numbers, text, cells or structs, looked into only where somebody asks. Copies point into
/// the variable's bytes, which must outlive them. Source: MathWorks, "MAT-File Format", level 5.
class MatValue {
 public:
  /// `element`: an array with its tag; without more behind the tag it is an empty array.
  /// Errors: DataError naming `where` for one that makes no sense.
  MatValue(std::span<const unsigned char> element, bool little_endian, const std::string& where)
      : little_endian_(little_endian) {
    if (element.size() == 8) return;
    const std::optional<MatHeader> header = parse_mat_header(element, little_endian);
    if (!header || header->data_at > element.size()) refuse_mat_value(where, "an array", "damaged data");
    class_type_ = header->class_type;
    complex_ = header->complex;
    count_ = 1;
    for (const std::size_t extent : header->dims) {
      const bool fits = extent == 0 || count_ <= std::numeric_limits<std::size_t>::max() / extent;
      count_ = fits ? count_ * extent : std::numeric_limits<std::size_t>::max();
    }
    body_ = element.subspan(header->data_at);
  }

  bool is_empty() const { return count_ == 0; }
  bool is_struct() const { return class_type_ == 2; }
  bool is_text() const { return class_type_ == 4; }
  std::size_t count() const { return count_; }

  /// "a struct", "double".
  std::string_view class_name() const { return mat_class_name(class_type_); }

  /// Errors: DataError naming `where` for what is no array of real numbers, or is damaged.
  std::vector<double> numbers(const std::string& where) const {
    if (is_empty()) return {};
    constexpr unsigned int64 = 14, uint64 = 15;
    if ((!is_mat_number(class_type_) && class_type_ != int64 && class_type_ != uint64) || complex_) {
      refuse_mat_value(where, "real numbers", complex_ ? "complex values" : std::string(class_name()));
    }
    const std::optional<MatData> data = mat_data(body_, 0, little_endian_);
    const MatStorage storage = mat_storage(data ? data->type : 0);
    if (storage.read == nullptr || data->bytes.size() / storage.bytes != count_ ||
        data->bytes.size() % storage.bytes != 0) {
      refuse_mat_value(where, std::to_string(count_) + " numbers", "damaged data");
    }
    return storage.read(data->bytes.data(), count_, little_endian_);
  }

  /// Errors: DataError naming `where` for anything but one number.
  double number(const std::string& where) const {
    if (count_ != 1) refuse_mat_value(where, "one number", std::to_string(count_) + " of " + std::string(class_name()));
    return numbers(where).front();
  }

  /// Errors: DataError naming `where` for what is no text, none of ASCII, or damaged.
  std::string text(const std::string& where) const {
    if (!is_text() && !is_empty()) refuse_mat_value(where, "text", std::string(class_name()));
    if (is_empty()) return "";
    constexpr unsigned utf8 = 16, utf16 = 17;
    const std::optional<MatData> data = mat_data(body_, 0, little_endian_);
    const unsigned type = !data ? 0 : data->type == utf8 ? 2 : data->type == utf16 ? 4 : data->type;
    const MatStorage storage = mat_storage(type);
    if ((type != 1 && type != 2 && type != 4) || data->bytes.size() != count_ * storage.bytes) {
      refuse_mat_value(where, std::to_string(count_) + " letters", "damaged data");
    }
    std::string text;
    for (const double letter : storage.read(data->bytes.data(), count_, little_endian_)) {
      if (letter < 1 || letter > 126) refuse_mat_value(where, "text of ASCII", "other characters");
      text += static_cast<char>(letter);
    }
    return text;
  }

  /// The values of a cell array, in MATLAB's order. Errors: DataError naming `where`.
  std::vector<MatValue> cells(const std::string& where) const {
    if (is_empty()) return {};
    if (class_type_ != 1) refuse_mat_value(where, "a cell array", std::string(class_name()));
    return children(0, count_, where);
  }

 private:
  friend class MatStructs;

  // So many arrays one after another. Each takes 8 bytes at least: what announces more of them is damaged.
  std::vector<MatValue> children(std::size_t at, std::size_t count, const std::string& where) const {
    const auto damaged = [&] { refuse_mat_value(where, std::to_string(count) + " arrays", "damaged data"); };
    if (at > body_.size() || count > (body_.size() - at) / 8) damaged();
    std::vector<MatValue> values;
    values.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      constexpr unsigned matrix = 14;
      const std::optional<MatData> data = mat_data(body_, at, little_endian_);
      if (!data || data->type != matrix || data->bytes.data() != body_.data() + at + 8) damaged();
      values.emplace_back(body_.subspan(at, data->bytes.size() + 8), little_endian_, where);
      at += data->bytes.size() + 8;
    }
    return values;
  }

  std::span<const unsigned char> body_{};  // behind the name
  std::size_t count_ = 0;
  unsigned class_type_ = 0;
  bool complex_ = false;
  bool little_endian_ = true;
};

/// The structs of a struct array, which all have the same fields; none of an empty array of whatever class, as MATLAB's
/// [] stands for no struct.
class MatStructs {
 public:
  /// Errors: DataError naming `where` for what is no struct array, or is damaged.
  MatStructs(const MatValue& value, const std::string& where) {
    if (value.is_empty()) return;
    if (!value.is_struct()) refuse_mat_value(where, "a struct", std::string(value.class_name()));
    const std::size_t values_at = read_names(value, where);
    const std::size_t fields = std::max<std::size_t>(1, names_.size());
    if (value.count() > value.body_.size() / 8 / fields) {
      refuse_mat_value(where, std::to_string(value.count()) + " structs", "damaged data");
    }
    count_ = value.count();
    values_ = value.children(values_at, count_ * names_.size(), where);
  }

  std::size_t size() const { return count_; }

  /// Null where there is no such field, or an empty array in it.
  const MatValue* find(std::size_t element, std::string_view field) const {
    const auto name = std::find(names_.begin(), names_.end(), field);
    if (name == names_.end()) return nullptr;
    const MatValue& value = values_[element * names_.size() + static_cast<std::size_t>(name - names_.begin())];
    return value.is_empty() ? nullptr : &value;
  }

  /// Errors: DataError naming `where` and the field where find() gives nothing.
  const MatValue& get(std::size_t element, std::string_view field, const std::string& where) const {
    if (const MatValue* const value = find(element, field)) return *value;
    const bool is_there = std::find(names_.begin(), names_.end(), field) != names_.end();
    refuse_mat_value(where + "." + std::string(field), "a value", is_there ? "an empty array" : "no such field");
  }

 private:
  // Names of equal length, filled up with zeros. Returns where the values begin.
  std::size_t read_names(const MatValue& value, const std::string& where) {
    constexpr unsigned int8 = 1, int32 = 5;
    const auto damaged = [&] { refuse_mat_value(where, "names of fields", "damaged data"); };
    const std::optional<MatData> size = mat_data(value.body_, 0, value.little_endian_);
    if (!size || size->type != int32 || size->bytes.size() != 4) damaged();
    const double length = mat_numbers<std::int32_t>(size->bytes.data(), 1, value.little_endian_).front();
    const std::optional<MatData> names = mat_data(value.body_, size->end, value.little_endian_);
    if (!names || names->type != int8 || !(length >= 1)) damaged();
    const auto each = static_cast<std::size_t>(length);
    if (names->bytes.size() % each != 0) damaged();
    const std::string_view text(reinterpret_cast<const char*>(names->bytes.data()), names->bytes.size());
    for (std::size_t at = 0; at < text.size(); at += each) {
      const std::string_view name = text.substr(at, each);
      names_.emplace_back(name.substr(0, name.find('\0')));
    }
    return names->end;
  }

  std::vector<std::string> names_;
  std::vector<MatValue> values_;  // (structs, fields)
  std::size_t count_ = 0;
};

/// A variable of any class, which holds its bytes.
class MatRoot {
 public:
  /// Errors: DataError as read_mat_array(), for a missing variable and for damage.
  MatRoot(const std::filesystem::path& path, const std::string& name, const std::string& expected)
      : where_(path.string() + ": " + name) {
    std::vector<std::string> others;
    const std::optional<MatVariable> variable = find_mat_variable(path, name, &others);
    if (!variable) {
      fail<DataError>(
          {.where = where_, .expected = expected, .got = "no variable of that name", .remedy = mat_names_text(others)});
    }
    little_endian_ = variable->little_endian;
    bytes_ = read_mat_element(path, *variable, element_bytes(path, *variable));
    const std::optional<MatData> data = mat_data(bytes_, 0, little_endian_);
    if (!data) refuse_mat_value(where_, expected, "damaged data");
    bytes_.resize(data->bytes.size() + 8);
  }

  const std::string& where() const { return where_; }
  MatValue value() const { return {bytes_, little_endian_, where_}; }

 private:
  // What the element takes uncompressed, as its own tag says, and what a decoder writes behind its last byte.
  std::size_t element_bytes(const std::filesystem::path& path, const MatVariable& variable) const {
    std::uint64_t bytes = variable.bytes;
    if (variable.compressed) {
      const std::vector<unsigned char> begin = read_mat_beginning(path, variable);
      if (begin.size() < 8) refuse_mat_value(where_, "an array", "damaged data");
      bytes = static_cast<std::uint64_t>(mat_numbers<std::uint32_t>(&begin[4], 1, little_endian_).front());
    }
    constexpr std::uint64_t deflate_most = 1032;  // times what is packed
    const std::uint64_t reachable = variable.compressed ? deflate_most * variable.bytes : variable.bytes;
    if (bytes > max_mat_bytes || bytes > reachable) {
      refuse_mat_value(where_,
                       "at most " + std::to_string(std::min<std::uint64_t>(max_mat_bytes, reachable)) + " bytes",
                       std::to_string(bytes));
    }
    return static_cast<std::size_t>(bytes) + 16;
  }

  std::string where_;
  std::vector<unsigned char> bytes_;  // of the element, its tag included
  bool little_endian_ = true;
};

}  // namespace detail
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
