// The definitions of base/json.hpp.
#pragma once

#include <posemachine/base/json.hpp>

#include <cmath>
#include <deque>
#include <iterator>
#include <set>

#if defined(POSEMACHINE_COMPILED)
template class nlohmann::basic_json<nlohmann::ordered_map>;
#endif

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE std::string json_excerpt(const Json& value) {
  return excerpt(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

POSEMACHINE_INLINE std::string field(std::string_view where, std::string_view key) {
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

POSEMACHINE_INLINE bool has_finite_numbers(const Json& json) {
  if (json.is_number_float()) return std::isfinite(json.get<double>());
  return !json.is_structured() || std::all_of(json.begin(), json.end(), has_finite_numbers);
}

POSEMACHINE_INLINE ReadJson read_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes) {
    return {{},
            Problem{.expected = "at most " + std::to_string(limits.bytes) + " bytes of JSON",
                    .got = std::to_string(text.size())}};
  }
  std::size_t bytes_read = 0;
  const CountingIterator begin(text.data(), &bytes_read), end(text.data() + text.size(), &bytes_read);
  JsonBuilder builder(limits);
  // What Json::sax_parse does for this format; that one also compiles the readers of four binary formats.
  auto adapter = nlohmann::detail::input_adapter(begin, end);
  bool taken = nlohmann::detail::parser<Json, decltype(adapter)>(std::move(adapter), nullptr, true, limits.comments)
                   .sax_parse(&builder, /*strict=*/true);
  if (const auto zero = text.find('\0'); taken && zero != std::string_view::npos) {  // to nlohmann the end of the text
    taken = false;
    builder.problem = "a zero byte";
    bytes_read = zero + 1;
  }
  if (taken) return {std::move(builder.root), {}};
  const std::size_t before = bytes_read == 0 ? 0 : bytes_read - 1;  // the last byte read is the one that is wrong
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(before), '\n');
  return {{},
          Problem{.expected = "JSON",
                  .got = builder.problem + " (line " + std::to_string(line) + ", byte " + std::to_string(bytes_read) +
                         ")"}};
}

POSEMACHINE_INLINE WrittenJson json_text(const Json& json, int indent) {
  if (!has_finite_numbers(json)) return {{}, Problem{.expected = "finite numbers", .got = "a NaN or an infinity"}};
  try {
    return {json.dump(indent), {}};
  } catch (const Json::type_error&) {
    return {{}, Problem{.expected = "text in UTF-8", .got = "other bytes"}};
  }
}

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
