// JSON: the only door to nlohmann-json, strict and bounded.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
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

// Builds a value and stops at the first thing that is not allowed; nlohmann's own reader keeps the last of equal keys.
class JsonBuilder : public nlohmann::json_sax<Json> {
 public:
  explicit JsonBuilder(const JsonLimits& limits) : limits_(limits) {}

  Json root;
  std::string problem;
  std::size_t position = 0;

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t&) override {
    return std::isfinite(value) ? put(value) : stop("a number that is too large");
  }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return stop("binary data"); }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (!keys_.back().insert(name).second) return stop("the key \"" + name + "\" twice in one object");
    next_key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t at, const std::string& token, const nlohmann::detail::exception&) override {
    position = at;
    return stop("no JSON at \"" + token.substr(0, 40) + "\"");
  }

 private:
  bool stop(std::string what) {
    if (problem.empty()) problem = std::move(what);
    return false;
  }

  template <class T>
  bool put(T&& value) {
    return add(Json(std::forward<T>(value))) != nullptr;
  }

  Json* add(Json value) {
    if (++count_ > limits_.values) {
      stop("more than " + std::to_string(limits_.values) + " values");
      return nullptr;
    }
    if (open_.empty()) {
      root = std::move(value);
      return &root;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[next_key_] = std::move(value));
  }

  bool open(Json value) {
    if (open_.size() >= limits_.depth) return stop("more than " + std::to_string(limits_.depth) + " levels");
    Json* added = add(std::move(value));
    if (added == nullptr) return false;
    open_.push_back(added);
    keys_.emplace_back();
    return true;
  }
  bool close() {
    open_.pop_back();
    keys_.pop_back();
    return true;
  }

  JsonLimits limits_;
  std::vector<Json*> open_;              // the containers around the next value; a parent does not grow while its child does
  std::vector<std::set<std::string>> keys_;
  std::string next_key_;
  std::size_t count_ = 0;
};

}  // namespace detail

/// Reads a JSON text. Errors: E naming `where`, for anything that is not strict JSON (UTF-8, keys once, finite numbers)
/// or exceeds the limits.
template <class E = DataError>
Json parse_json(std::string_view text, std::string_view where, const JsonLimits& limits = {}) {
  if (text.size() > limits.bytes) {
    fail<E>({.where = std::string(where),
             .expected = "at most " + std::to_string(limits.bytes) + " bytes of JSON",
             .got = std::to_string(text.size())});
  }
  detail::JsonBuilder builder(limits);
  const bool read = Json::sax_parse(text, &builder, Json::input_format_t::json, true, limits.comments);
  if (!read || !builder.problem.empty()) {
    const std::size_t at = std::min(builder.position, text.size());
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    const std::string place = at > 0 ? " (line " + std::to_string(line) + ", byte " + std::to_string(at) + ")" : "";
    fail<E>({.where = std::string(where), .expected = "JSON", .got = builder.problem + place});
  }
  return std::move(builder.root);
}

/// A member of an object, by name. Errors: E naming where.key, if the value is no object or lacks the member.
template <class E = DataError>
const Json& member(const Json& object, std::string_view key, std::string_view where) {
  if (!object.is_object()) fail<E>({.where = std::string(where), .expected = "an object", .got = object.type_name()});
  const auto found = object.find(std::string(key));
  if (found == object.end()) {
    fail<E>({.where = std::string(where) + "." + std::string(key), .expected = "a value", .got = "nothing"});
  }
  return *found;
}

template <class E = DataError>
std::int64_t integer_member(const Json& object, std::string_view key, std::string_view where, std::int64_t low,
                            std::int64_t high) {
  const Json& value = member<E>(object, key, where);
  const bool fits = value.is_number_integer() &&
                    !(value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{1} << 62) &&
                    value.get<std::int64_t>() >= low && value.get<std::int64_t>() <= high;
  if (!fits) {
    fail<E>({.where = std::string(where) + "." + std::string(key),
             .expected = "an integer from " + std::to_string(low) + " to " + std::to_string(high),
             .got = value.dump().substr(0, 60)});
  }
  return value.get<std::int64_t>();
}

template <class E = DataError>
double number_member(const Json& object, std::string_view key, std::string_view where, double low, double high) {
  const Json& value = member<E>(object, key, where);
  if (!value.is_number() || !(value.get<double>() >= low && value.get<double>() <= high)) {
    fail<E>({.where = std::string(where) + "." + std::string(key),
             .expected = "a number from " + Json(low).dump() + " to " + Json(high).dump(),
             .got = value.dump().substr(0, 60)});
  }
  return value.get<double>();
}

template <class E = DataError>
std::string string_member(const Json& object, std::string_view key, std::string_view where) {
  const Json& value = member<E>(object, key, where);
  if (!value.is_string()) {
    fail<E>({.where = std::string(where) + "." + std::string(key), .expected = "a string", .got = value.type_name()});
  }
  return value.get<std::string>();
}

template <class E = DataError>
bool boolean_member(const Json& object, std::string_view key, std::string_view where) {
  const Json& value = member<E>(object, key, where);
  if (!value.is_boolean()) {
    fail<E>({.where = std::string(where) + "." + std::string(key), .expected = "true or false", .got = value.type_name()});
  }
  return value.get<bool>();
}

template <class E = DataError>
const Json& array_member(const Json& object, std::string_view key, std::string_view where) {
  const Json& value = member<E>(object, key, where);
  if (!value.is_array()) {
    fail<E>({.where = std::string(where) + "." + std::string(key), .expected = "an array", .got = value.type_name()});
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
    fail<E>({.where = std::string(where) + "." + key,
             .expected = "a known key",
             .got = "an unknown one",
             .remedy = did_you_mean(key, known)});
  }
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
