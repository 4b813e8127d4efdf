// The YAML door: a document as a JSON value, strict and bounded.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <yaml.h>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// Builds a value out of libyaml's events rather than of its tree, which takes 100 bytes for one of input before it can
// be measured and leaves aliases to be followed.
class YamlReader {
 public:
  YamlReader(std::string_view text, std::string_view where, const JsonLimits& limits) : where_(where), limits_(limits) {
    if (yaml_parser_initialize(&parser_) == 0) fail<RuntimeFailure>({.where = where_, .got = "out of memory"});
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  YamlReader(const YamlReader&) = delete;
  YamlReader& operator=(const YamlReader&) = delete;
  ~YamlReader() {
    yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
  }

  Json read() {
    Json root;
    for (int documents = 0; next() != YAML_STREAM_END_EVENT;) {
      if (event_.type == YAML_DOCUMENT_START_EVENT && ++documents > 1) refuse("a second document");
      if (event_.type == YAML_STREAM_START_EVENT || event_.type == YAML_DOCUMENT_START_EVENT ||
          event_.type == YAML_DOCUMENT_END_EVENT) {
        continue;
      }
      root = value(0).json;
    }
    return root;
  }

 private:
  // A value, how many there are in it, and the bytes of their text.
  struct Measured {
    Json json;
    std::size_t count = 1;
    std::size_t bytes = 0;

    void add(const Measured& part) {
      count += part.count;
      bytes += part.bytes;
    }
  };

  yaml_event_type_t next() {
    yaml_event_delete(&event_);
    event_ = {};
    if (yaml_parser_parse(&parser_, &event_) == 0) {
      line_ = parser_.error == YAML_READER_ERROR ? line_ : parser_.problem_mark.line + 1;
      refuse(parser_.problem != nullptr ? excerpt(parser_.problem, 100) : "out of memory");
    }
    line_ = event_.start_mark.line + 1;
    return event_.type;
  }

  [[noreturn]] void refuse(const std::string& got) const {
    fail<DataError>({.where = where_, .expected = "YAML", .got = got + " (line " + std::to_string(line_) + ")"});
  }

  void count(std::size_t values) {
    count_ += values;
    if (count_ > limits_.values) refuse("more than " + std::to_string(limits_.values) + " values");
  }

  // Before it is made: aliases of aliases double with every line.
  void count_copy(const Measured& of) {
    count(of.count);
    copied_bytes_ += of.bytes;
    if (copied_bytes_ > limits_.bytes) refuse("more than " + std::to_string(limits_.bytes) + " bytes in aliases");
  }

  static std::string_view text_of(const yaml_char_t* text) {
    return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
  }

  // The value that the last event begins.
  Measured value(std::size_t depth) {
    if (depth >= limits_.depth) refuse("more than " + std::to_string(limits_.depth) + " levels");
    if (event_.type == YAML_ALIAS_EVENT) {
      const std::string name(text_of(event_.data.alias.anchor));
      const auto found = anchors_.find(name);
      if (found == anchors_.end()) refuse("the alias *" + excerpt(name) + " of nothing that ended before it");
      count_copy(found->second);
      return found->second;
    }
    count(1);
    std::string anchor;
    Measured read;
    if (event_.type == YAML_SCALAR_EVENT) {
      anchor = text_of(event_.data.scalar.anchor);
      read.json = scalar();
      read.bytes = event_.data.scalar.length;
    } else if (event_.type == YAML_SEQUENCE_START_EVENT) {
      anchor = text_of(event_.data.sequence_start.anchor);
      require_plain_tag(text_of(event_.data.sequence_start.tag), YAML_SEQ_TAG);
      read.json = Json::array();
      while (next() != YAML_SEQUENCE_END_EVENT) {
        Measured item = value(depth + 1);
        read.add(item);
        read.json.push_back(std::move(item.json));
      }
    } else {
      anchor = text_of(event_.data.mapping_start.anchor);
      require_plain_tag(text_of(event_.data.mapping_start.tag), YAML_MAP_TAG);
      read = mapping(depth);
    }
    if (!anchor.empty()) {
      count_copy(read);
      anchors_.insert_or_assign(anchor, read);
    }
    return read;
  }

  Measured mapping(std::size_t depth) {
    Json::object_t members;
    std::set<std::string> seen;
    Measured read;
    while (next() != YAML_MAPPING_END_EVENT) {
      if (event_.type != YAML_SCALAR_EVENT) refuse("a key that is no word or number");
      std::string key(reinterpret_cast<const char*>(event_.data.scalar.value), event_.data.scalar.length);
      if (!seen.insert(key).second) refuse("the key \"" + excerpt(key) + "\" twice");
      next();
      Measured member = value(depth + 1);
      read.add(member);
      read.bytes += key.size();
      members.emplace_back(std::move(key), std::move(member.json));
    }
    read.json = Json(std::move(members));
    return read;
  }

  void require_plain_tag(std::string_view tag, std::string_view plain) const {
    if (!tag.empty() && tag != plain) refuse("the tag " + excerpt(tag));
  }

  Json scalar() const {
    const auto& given = event_.data.scalar;
    std::string text(reinterpret_cast<const char*>(given.value), given.length);
    require_plain_tag(text_of(given.tag), YAML_STR_TAG);
    if (given.style != YAML_PLAIN_SCALAR_STYLE || given.tag != nullptr) return text;
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
    if (text == "true" || text == "True" || text == "TRUE") return true;
    if (text == "false" || text == "False" || text == "FALSE") return false;
    const std::optional<Json> number = number_of(text);
    return number ? *number : Json(std::move(text));
  }

  std::optional<Json> number_of(std::string_view text) const {
    if (text.find_first_not_of("+-.0123456789eE") != std::string_view::npos) return std::nullopt;
    if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
    const char* const end = text.data() + text.size();
    std::int64_t whole = 0;
    const auto integer = std::from_chars(text.data(), end, whole);
    if (integer.ec == std::errc{} && integer.ptr == end) return Json(whole);
    double real = 0;
    const auto number = std::from_chars(text.data(), end, real);
    if (number.ptr != end || number.ec == std::errc::invalid_argument) return std::nullopt;
    if (number.ec != std::errc{} || !std::isfinite(real)) refuse("a number that is too large");
    return Json(real);
  }

  std::string where_;
  JsonLimits limits_;
  yaml_parser_t parser_{};
  yaml_event_t event_{};
  std::size_t line_ = 1;
  std::size_t count_ = 0;
  std::size_t copied_bytes_ = 0;
  std::map<std::string, Measured> anchors_;  // values that have ended, so that none stands in itself
};

}  // namespace detail

/// Reads a YAML text of one document as the JSON value that it stands for: mappings with keys of words or numbers,
/// which become text, sequences, and scalars. Unquoted ones are null, true, false or numbers where YAML 1.2 says so;
/// aliases are copies. Errors: DataError naming `where` and line, for anything else, a key twice in one mapping, tags,
/// and what exceeds the limits, copies counted.
inline Json parse_yaml(std::string_view text, std::string_view where, const JsonLimits& limits = {}) {
  if (text.size() > limits.bytes) {
    fail<DataError>({.where = std::string(where),
                     .expected = "at most " + std::to_string(limits.bytes) + " bytes of YAML",
                     .got = std::to_string(text.size())});
  }
  // libyaml compares every tag's handle with all before it, and tags are refused anyway.
  if (text.find("%TAG") != std::string_view::npos) {
    fail<DataError>({.where = std::string(where), .expected = "YAML", .got = "a %TAG directive"});
  }
  return detail::YamlReader(text, where, limits).read();
}

/// Errors: as parse_yaml; DataError for a file that cannot be read.
inline Json read_yaml(const std::filesystem::path& file, const JsonLimits& limits = {}) {
  return parse_yaml(read_file<DataError>(file, limits.bytes), file.string(), limits);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
