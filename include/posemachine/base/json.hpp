// JSON: the only door to nlohmann-json, strict and bounded.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// A JSON value; objects keep the order of their keys.
using Json = nlohmann::ordered_json;

/// What a document may hold, checked while it is read.
struct JsonLimits {
  std::size_t bytes = std::size_t{16} << 20;
  std::size_t depth = 64;
  std::size_t values = 1'000'000;
  bool comments = false;  // allow // and /* */ (configuration files)
};

namespace detail {

// What a message may quote: at most `most` bytes, whole characters, no control characters.
inline std::string excerpt(std::string_view text, std::size_t most = 60) {
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };  // inside a character
  std::size_t end = std::min(most, text.size());
  while (end > 0 && end < text.size() && continues(text[end])) --end;
  std::string quoted(text.substr(0, end));
  std::replace_if(quoted.begin(), quoted.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  return end < text.size() ? quoted + "..." : quoted;
}

inline std::string json_excerpt(const Json& value) {
  return excerpt(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

inline std::string field(std::string_view where, std::string_view key) {
  return std::string(where) + "." + excerpt(key);
}

// Steps through the text and counts: nlohmann tells the position of a syntax error, but not where a handler said stop.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* count) : at_(at), count_(count) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*count_;
    return *this;
  }
  CountingIterator operator++(int) {
    const CountingIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) { return a.at_ == b.at_; }

 private:
  const char* at_;
  std::size_t* count_;
};

// Builds a value and stops at the first thing that is not allowed. Unlike nlohmann's own builder it refuses equal keys
// (there the last one wins), and its time is that of n log n: there each new key is compared with all before it, which
// takes hours for the million keys that fit into 16 MiB.
class JsonBuilder : public nlohmann::json_sax<Json> {
 public:
  explicit JsonBuilder(const JsonLimits& limits) : limits_(limits) {}

  Json root;
  std::string problem;

  bool null() override { return put(Json(nullptr)); }
  bool boolean(bool value) override { return put(Json(value)); }
  bool number_integer(number_integer_t value) override { return put(Json(value)); }
  bool number_unsigned(number_unsigned_t value) override { return put(Json(value)); }
  bool number_float(number_float_t value, const string_t&) override {
    return std::isfinite(value) ? put(Json(value)) : stop("a number that is too large");
  }
  bool string(string_t& value) override { return put(Json(std::move(value))); }
  bool binary(binary_t&) override { return stop("binary data"); }
  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool key(string_t& name) override {
    Container& object = open_.back();
    object.keys.push_back(std::move(name));
    if (object.seen.insert(object.keys.back()).second) return true;
    return stop("the key \"" + excerpt(object.keys.back()) + "\" twice in one object");
  }
  bool end_object() override {
    Container& object = open_.back();
    Json::object_t members;
    members.reserve(object.keys.size());
    for (std::size_t i = 0; i < object.keys.size(); ++i) {
      members.emplace_back(std::move(object.keys[i]), std::move(object.values[i]));
    }
    open_.pop_back();
    return place(Json(std::move(members)));
  }
  bool end_array() override {
    Json array(std::move(open_.back().values));
    open_.pop_back();
    return place(std::move(array));
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 4: syntax error while parsing value - invalid
    // literal; last read: 'tru}'": what stands after the dash is wanted; the text last read may be long and any bytes.
    if (error.id == 406) return stop("a number that is too large");
    std::string_view text = error.what();
    if (const auto dash = text.find(" - "); dash != std::string_view::npos) text.remove_prefix(dash + 3);
    return stop(excerpt(text.substr(0, text.find("; last read")), 100));
  }

 private:
  struct Container {
    std::deque<std::string> keys;  // of an object; a deque, so that views of them stay good
    std::set<std::string_view> seen;
    std::vector<Json> values;
  };

  bool stop(std::string what) {
    if (problem.empty()) problem = std::move(what);
    return false;
  }
  bool count() { return ++count_ <= limits_.values || stop("more than " + std::to_string(limits_.values) + " values"); }
  bool place(Json value) {
    if (open_.empty()) {
      root = std::move(value);
    } else {
      open_.back().values.push_back(std::move(value));
    }
    return true;
  }
  bool put(Json value) { return count() && place(std::move(value)); }
  bool open() {
    if (open_.size() >= limits_.depth) return stop("more than " + std::to_string(limits_.depth) + " levels");
    if (!count()) return false;
    open_.emplace_back();
    return true;
  }

  JsonLimits limits_;
  std::deque<Container> open_;  // the containers around the next value; a deque never moves them
  std::size_t count_ = 0;
};

inline bool has_finite_numbers(const Json& json) {
  if (json.is_number_float()) return std::isfinite(json.get<double>());
  return !json.is_structured() || std::all_of(json.begin(), json.end(), has_finite_numbers);
}

}  // namespace detail

/// Reads a JSON text. Errors: E naming `where`, line and byte, for anything that is not strict JSON (UTF-8, keys once,
/// finite numbers) or exceeds the limits.
template <class E = DataError>
Json parse_json(std::string_view text, std::string_view where, const JsonLimits& limits = {}) {
  if (text.size() > limits.bytes) {
    fail<E>({.where = std::string(where),
             .expected = "at most " + std::to_string(limits.bytes) + " bytes of JSON",
             .got = std::to_string(text.size())});
  }
  std::size_t bytes_read = 0;
  const detail::CountingIterator begin(text.data(), &bytes_read), end(text.data() + text.size(), &bytes_read);
  detail::JsonBuilder builder(limits);
  // What Json::sax_parse does for this format; that one also compiles the readers of four binary formats.
  auto adapter = nlohmann::detail::input_adapter(begin, end);
  bool taken = nlohmann::detail::parser<Json, decltype(adapter)>(std::move(adapter), nullptr, true, limits.comments)
                   .sax_parse(&builder, /*strict=*/true);
  if (const auto zero = text.find('\0'); taken && zero != std::string_view::npos) {  // to nlohmann the end of the text
    taken = false;
    builder.problem = "a zero byte";
    bytes_read = zero + 1;
  }
  if (!taken) {
    const std::size_t before = bytes_read == 0 ? 0 : bytes_read - 1;  // the last byte read is the one that is wrong
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(before), '\n');
    fail<E>({.where = std::string(where),
             .expected = "JSON",
             .got = builder.problem + " (line " + std::to_string(line) + ", byte " + std::to_string(bytes_read) + ")"});
  }
  return std::move(builder.root);
}

/// The text of a value: equal values give equal bytes with every compiler, numbers in digits that read back as the same
/// double. indent -1: one line. Errors: E naming `where`, for a number that is not finite or text that is not UTF-8.
template <class E = DataError>
std::string write_json(const Json& json, std::string_view where, int indent = -1) {
  if (!detail::has_finite_numbers(json)) {
    fail<E>({.where = std::string(where), .expected = "finite numbers", .got = "a NaN or an infinity"});
  }
  try {
    return json.dump(indent);
  } catch (const Json::type_error&) {
    fail<E>({.where = std::string(where), .expected = "text in UTF-8", .got = "other bytes"});
  }
}

/// A member of an object, by name. Errors: E naming where.key, if the value is no object or lacks the member.
template <class E = DataError>
const Json& member(const Json& object, std::string_view key, std::string_view where) {
  if (!object.is_object()) fail<E>({.where = std::string(where), .expected = "an object", .got = object.type_name()});
  const auto found = object.find(std::string(key));
  if (found == object.end()) fail<E>({.where = detail::field(where, key), .expected = "a value", .got = "nothing"});
  return *found;
}

/// A member that is an integer from low to high; 2.0 is none. Errors: E naming where.key.
template <class E = DataError>
std::int64_t integer_member(const Json& object, std::string_view key, std::string_view where, std::int64_t low,
                            std::int64_t high) {
  const Json& value = member<E>(object, key, where);
  const bool fits = value.is_number_integer() &&
                    !(value.is_number_unsigned() &&
                      value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) &&
                    value.get<std::int64_t>() >= low && value.get<std::int64_t>() <= high;
  if (!fits) {
    fail<E>({.where = detail::field(where, key),
             .expected = "an integer from " + std::to_string(low) + " to " + std::to_string(high),
             .got = detail::json_excerpt(value)});
  }
  return value.get<std::int64_t>();
}

/// A member that is a number from low to high. Errors: E naming where.key.
template <class E = DataError>
double number_member(const Json& object, std::string_view key, std::string_view where, double low, double high) {
  const Json& value = member<E>(object, key, where);
  if (!value.is_number() || !(value.get<double>() >= low && value.get<double>() <= high)) {
    fail<E>({.where = detail::field(where, key),
             .expected = "a number from " + Json(low).dump() + " to " + Json(high).dump(),
             .got = detail::json_excerpt(value)});
  }
  return value.get<double>();
}

/// A member that is a string. Errors: E naming where.key.
template <class E = DataError>
std::string string_member(const Json& object, std::string_view key, std::string_view where) {
  const Json& value = member<E>(object, key, where);
  if (!value.is_string()) {
    fail<E>({.where = detail::field(where, key), .expected = "a string", .got = value.type_name()});
  }
  return value.get<std::string>();
}

/// A member that is true or false. Errors: E naming where.key.
template <class E = DataError>
bool boolean_member(const Json& object, std::string_view key, std::string_view where) {
  const Json& value = member<E>(object, key, where);
  if (!value.is_boolean()) {
    fail<E>({.where = detail::field(where, key), .expected = "true or false", .got = value.type_name()});
  }
  return value.get<bool>();
}

/// A member that is an array. Errors: E naming where.key.
template <class E = DataError>
const Json& array_member(const Json& object, std::string_view key, std::string_view where) {
  const Json& value = member<E>(object, key, where);
  if (!value.is_array()) {
    fail<E>({.where = detail::field(where, key), .expected = "an array", .got = value.type_name()});
  }
  return value;
}

/// How many letters must be inserted, deleted or exchanged to get from a to b. Source: Levenshtein 1966.
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t k = 0; k < row.size(); ++k) row[k] = k;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t k = 0; k < b.size(); ++k) {
      const std::size_t exchange = diagonal + (a[i] == b[k] ? 0 : 1);
      diagonal = row[k + 1];
      row[k + 1] = std::min({exchange, row[k] + 1, row[k + 1] + 1});
    }
  }
  return row.back();
}

/// "did you mean \"step\"?", or nothing where no known word is near.
inline std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  if (word.size() > 64) return "";  // no slip of the pen, and the distance would cost word.size() steps a letter
  std::string best;
  std::size_t least = 1 + std::max<std::size_t>(2, word.size() / 3);
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best.empty() ? "" : "did you mean \"" + best + "\"?";
}

/// Errors: E naming where.key, for a member of an object that is not in `known`.
template <class E = DataError>
void reject_unknown_keys(const Json& object, const std::vector<std::string>& known, std::string_view where) {
  if (!object.is_object()) fail<E>({.where = std::string(where), .expected = "an object", .got = object.type_name()});
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    fail<E>({.where = detail::field(where, key),
             .expected = "a known key",
             .got = "an unknown one",
             .remedy = did_you_mean(key, known)});
  }
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
