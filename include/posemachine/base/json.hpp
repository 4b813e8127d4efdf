// JSON: the only door to nlohmann-json, strict and bounded.
#pragma once

#include <posemachine/base/text.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if defined(POSEMACHINE_COMPILED)  // nlohmann-json itself is compiled once, too
extern template class nlohmann::basic_json<nlohmann::ordered_map>;
#endif

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

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

std::string json_excerpt(const Json& value);
std::string field(std::string_view where, std::string_view key);

// A value, or why there is none; the problem's place is left to the caller.
struct ReadJson {
  Json value;
  std::optional<Problem> problem;
};
ReadJson read_json(std::string_view text, const JsonLimits& limits);

// The text of a value, or why there is none.
struct WrittenJson {
  std::string text;
  std::optional<Problem> problem;
};
WrittenJson json_text(const Json& json, int indent);

// Throws E, if there is a problem.
template <class E>
void require_none(std::optional<Problem>& problem, std::string_view where) {
  if (!problem.has_value()) return;
  problem->where = std::string(where);
  fail<E>(*problem);
}

}  // namespace detail

/// Reads a JSON text. Errors: E naming `where`, line and byte, for anything that is not strict JSON (UTF-8, keys once,
/// finite numbers) or exceeds the limits.
template <class E = DataError>
Json parse_json(std::string_view text, std::string_view where, const JsonLimits& limits = {}) {
  detail::ReadJson read = detail::read_json(text, limits);
  detail::require_none<E>(read.problem, where);
  return std::move(read.value);
}

/// The text of a value: equal values give equal bytes with every compiler, numbers in digits that read back as the same
/// double. indent -1: one line. Errors: E naming `where`, for a number that is not finite or text that is not UTF-8.
template <class E = DataError>
std::string write_json(const Json& json, std::string_view where, int indent = -1) {
  detail::WrittenJson written = detail::json_text(json, indent);
  detail::require_none<E>(written.problem, where);
  return std::move(written.text);
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

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/base/json.ipp>
#endif
