// The JSON door: what it takes, what it refuses and with which words, and the bytes it writes.
#include <posemachine/base/json.hpp>
#include <posemachine/core/random.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace json_test {

namespace pm = posemachine;

namespace {

// The message of the E that reading the text ends with; anything else thrown ends the test.
template <class E = pm::DataError>
std::string refusal(std::string_view text, const pm::JsonLimits& limits = {}) {
  try {
    pm::parse_json<E>(text, "f.json", limits);
  } catch (const E& error) {
    return error.what();
  }
  return "taken";
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string repeated(std::string_view part, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += part;
  return text;
}

std::string nested(int levels) { return repeated("[", levels) + repeated("]", levels); }

}  // namespace

TEST_CASE("parse_json: every kind of value arrives, and keys keep their order") {
  constexpr std::string_view text =
      R"({"z": [1, -2, 2.5, true, false, null], "a": {"k": "\u00e9\n"}, "m": [], "b": {}})";
  const pm::Json json = pm::parse_json(text, "f");
  CHECK(json.dump() == "{\"z\":[1,-2,2.5,true,false,null],\"a\":{\"k\":\"\xC3\xA9\\n\"},\"m\":[],\"b\":{}}");
  CHECK(json["z"][0].is_number_unsigned());
  CHECK(json["z"][1].is_number_integer());
  CHECK(json["z"][2].is_number_float());
  CHECK(pm::parse_json(" 7 ", "f") == 7);
  CHECK(pm::parse_json("18446744073709551615", "f").get<std::uint64_t>() == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("parse_json: what is not strict JSON is refused, naming file, reason, line and byte") {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"", "f.json: expected JSON, got unexpected end of input"},
      {"tru", "invalid literal (line 1, byte 3)"},
      {"[1,\n 2,\n x]", "invalid literal (line 3, byte 10)"},
      {"{\"a\": 1,}", "unexpected '}'; expected string literal (line 1, byte 9)"},
      {"[1,]", "unexpected ']'; expected '[', '{', or a literal (line 1, byte 4)"},
      {"[1", "unexpected end of input"},
      {"{\"a\"", "unexpected end of input"},
      {"\"abc", "missing closing quote"},
      {"{'a': 1}", "(line 1, byte 2)"},
      {"{a: 1}", "(line 1, byte 2)"},
      {"01", "unexpected number literal; expected end of input"},
      {"+1", "invalid literal"},
      {".5", "invalid literal"},
      {"1.", "invalid number"},
      {"NaN", "invalid literal"},
      {"Infinity", "invalid literal"},
      {"{} {}", "expected end of input"},
      {"1e999", "a number that is too large (line 1, byte 5)"},
      {"[0, -1e999]", "a number that is too large"},
      {"{\"a\": 1,\n\"b\": 2, \"a\": 3}", "the key \"a\" twice in one object (line 2, byte 20)"},
      {"{\"o\": {\"a\": 1, \"\\u0061\": 3}}", "the key \"a\" twice"},
      {"\"\xC3\x28\"", "ill-formed UTF-8"},
      {"\"\xED\xA0\x80\"", "ill-formed UTF-8"},  // a surrogate in UTF-8
      {"\"\xC0\x80\"", "ill-formed UTF-8"},      // an overlong zero
      {"{\"\xFF\": 1}", "ill-formed UTF-8"},
      {"\"\\ud800\"", "surrogate"},
      {"\"a\tb\"", "must be escaped"},
      {std::string_view("\"a\0b\"", 5), "must be escaped"},
      {std::string_view("{}\0 x", 5), "a zero byte (line 1, byte 3)"},
      {std::string_view("{}\0", 3), "a zero byte"},
      {std::string_view("\0{}", 3), "(line 1, byte 1)"},
      {"// note\n1", "invalid literal"},
  };
  for (const auto& [text, message] : cases) {
    const std::string told = refusal(text);
    CAPTURE(told);
    CHECK(contains(told, message));
    CHECK(told.find("f.json: expected JSON, got ") == 0);
  }
  // Equal keys in different objects are no repetition.
  CHECK(refusal(R"([{"a": 1}, {"a": {"a": 2}}])") == "taken");
}

TEST_CASE("parse_json: the limits are exact") {
  CHECK(refusal(nested(64)) == "taken");
  CHECK(contains(refusal(nested(65)), "more than 64 levels (line 1, byte 65)"));
  CHECK(contains(refusal(repeated("{\"a\":", 65)), "more than 64 levels"));
  CHECK(contains(refusal(repeated("[", 1'000'000)), "more than 64 levels"));
  CHECK(refusal("[[1]]", {.depth = 2}) == "taken");
  CHECK(contains(refusal("[[1]]", {.depth = 1}), "more than 1 levels"));
  CHECK(refusal("[1,{\"a\":2}]", {.values = 4}) == "taken");
  CHECK(contains(refusal("[1,{\"a\":2}]", {.values = 3}), "more than 3 values"));
  CHECK(refusal("[1]", {.bytes = 3}) == "taken");
  CHECK(refusal("[1]", {.bytes = 2}) == "f.json: expected at most 2 bytes of JSON, got 3");
}

TEST_CASE("parse_json: an object of 300,000 keys is read, and one of a million refused by the number of its values") {
  // nlohmann compares each key with all before it: 4.5e10 comparisons here.
  std::string text = "{\"k\":0";
  for (int i = 1; i < 300'000; ++i) text += ",\"k" + std::to_string(i) + "\":0";
  CHECK(pm::parse_json(text + "}", "f").size() == 300'000);
  for (int i = 300'000; i < 1'000'000; ++i) text += ",\"k" + std::to_string(i) + "\":0";
  CHECK(contains(refusal(text + "}"), "more than 1000000 values"));
}

TEST_CASE("parse_json: comments are read where they are allowed, and must end") {
  constexpr std::string_view text = "// settings\n{\"a\": /* one */ 1}";
  CHECK(pm::parse_json(text, "f", {.comments = true})["a"] == 1);
  CHECK(refusal(text) != "taken");
  CHECK(contains(refusal("/* {", {.comments = true}), "invalid comment"));
  CHECK(contains(refusal(std::string_view("1 // a\0\n", 8), {.comments = true}), "a zero byte"));
}

TEST_CASE("parse_json: the caller chooses the class of the exception") {
  CHECK(refusal<pm::UsageError>("[") != "taken");
  CHECK(refusal<pm::ModelError>("1", {.bytes = 0}) != "taken");
}

TEST_CASE("parse_json: messages quote no more than a line of what came, and never half a character") {
  CHECK(refusal("{\"" + std::string(5000, 'k') + "\": 1, \"" + std::string(5000, 'k') + "\": 2}").size() < 200);
  CHECK(refusal("[\"" + std::string(5000, 'x')).size() < 200);
  const std::string key = "a" + repeated("\xC3\xA9", 40);  // bytes 1-2, 3-4 ...: the 60th is the first of a pair
  const std::string message = refusal("{\"" + key + "\":1,\"" + key + "\":2}");
  CHECK(contains(message, "\"" + key.substr(0, 59) + "...\""));
  CHECK_NOTHROW(pm::Json(message).dump());
  CHECK(contains(refusal("{\"a\\u001bb\":1,\"a\\u001bb\":2}"), "\"a?b\""));  // no escape sequences for terminals
}

TEST_CASE("parse_json: 20,000 mutations are read or refused, and what is read is written back as the same value") {
  constexpr std::string_view original =
      R"({"name": "né\u00e9", "list": [1, -2, 2.5e-3, [true, null, {"x": {}}]], "big": 123456789012, "name2": ""})";
  constexpr std::string_view letters = "{}[],:\"\\0123456789eE+-.tfn/ \xC3\xFF";
  int taken = 0;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    pm::RandomStream random(11, pm::Purpose::test, 0, i);
    std::string text(original);
    for (std::uint64_t edits = 1 + random.below(3); edits > 0; --edits) {
      const std::size_t at = random.below(text.size());
      switch (random.below(4)) {
        case 0: text[at] = static_cast<char>(text[at] ^ (1 << random.below(8))); break;
        case 1: text[at] = letters[random.below(letters.size())]; break;
        case 2: text.erase(at, 1 + random.below(5)); break;
        default: text.insert(at, text.substr(random.below(text.size()), 1 + random.below(9)));
      }
    }
    CAPTURE(text);
    try {
      const pm::Json json = pm::parse_json(text, "f");
      ++taken;
      CHECK(pm::parse_json(pm::write_json(json, "f"), "f") == json);
    } catch (const pm::DataError&) {
    }
  }
  CHECK(taken > 1000);
  CHECK(taken < 19'000);
}

TEST_CASE("members: what is absent, of another type or out of range is refused by the path of its field") {
  constexpr std::string_view text = R"({"i": 5, "big": 18446744073709551615, "min": -9223372036854775808, "f": 2.0,
                                        "s": "text", "b": true, "a": [1], "n": null})";
  const pm::Json json = pm::parse_json(text, "f");
  const std::string where = "c.json: train";
  CHECK(pm::integer_member(json, "i", where, 5, 5) == 5);
  CHECK(pm::integer_member(json, "min", where, std::numeric_limits<std::int64_t>::min(), 0) ==
        std::numeric_limits<std::int64_t>::min());
  CHECK(pm::number_member(json, "i", where, 0, 10) == 5.0);
  CHECK(pm::number_member(json, "f", where, 2, 2) == 2.0);
  CHECK(pm::string_member(json, "s", where) == "text");
  CHECK(pm::boolean_member(json, "b", where));
  CHECK(pm::array_member(json, "a", where).size() == 1);
  CHECK(pm::member(json, "n", where).is_null());

  CHECK_THROWS_WITH_AS(pm::member(json, "rate", where), "c.json: train.rate: expected a value, got nothing",
                       pm::DataError);
  CHECK_THROWS_WITH_AS(pm::member<pm::UsageError>(json["a"], "rate", where),
                       "c.json: train: expected an object, got array", pm::UsageError);
  CHECK_THROWS_WITH_AS(pm::integer_member(json, "i", where, 6, 9),
                       "c.json: train.i: expected an integer from 6 to 9, got 5", pm::DataError);
  CHECK_THROWS_WITH_AS(pm::integer_member(json, "i", where, 0, 4),
                       "c.json: train.i: expected an integer from 0 to 4, got 5", pm::DataError);
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  for (const char* key : {"big", "f", "s", "b", "a", "n"}) {
    CAPTURE(key);
    CHECK_THROWS_AS(pm::integer_member(json, key, where, 0, most), pm::DataError);
  }
  CHECK_THROWS_WITH_AS(pm::number_member(json, "f", where, 0, 1.5),
                       "c.json: train.f: expected a number from 0.0 to 1.5, got 2.0", pm::DataError);
  for (const char* key : {"s", "b", "a", "n"}) {
    CHECK_THROWS_AS(pm::number_member(json, key, where, -9, 9), pm::DataError);
  }
  CHECK_THROWS_WITH_AS(pm::string_member(json, "i", where), "c.json: train.i: expected a string, got number",
                       pm::DataError);
  CHECK_THROWS_WITH_AS(pm::boolean_member(json, "i", where), "c.json: train.i: expected true or false, got number",
                       pm::DataError);
  CHECK_THROWS_WITH_AS(pm::array_member(json, "s", where), "c.json: train.s: expected an array, got string",
                       pm::DataError);
  const pm::Json long_text = {{"x", std::string(5000, 'x')}};
  CHECK_THROWS_WITH_AS(pm::integer_member(long_text, "x", "f", 0, 1),
                       ("f.x: expected an integer from 0 to 1, got \"" + std::string(59, 'x') + "...").c_str(),
                       pm::DataError);
}

TEST_CASE("reject_unknown_keys: names the stranger and the known key nearest to it") {
  const std::vector<std::string> known = {"learning_rate", "momentum", "epochs"};
  CHECK_NOTHROW(pm::reject_unknown_keys(pm::Json{{"epochs", 3}}, known, "c"));
  CHECK_NOTHROW(pm::reject_unknown_keys(pm::Json::object(), known, "c"));
  CHECK_THROWS_WITH_AS(pm::reject_unknown_keys(pm::Json{{"epochs", 1}, {"momentun", 2}}, known, "c"),
                       "c.momentun: expected a known key, got an unknown one; did you mean \"momentum\"?",
                       pm::DataError);
  CHECK_THROWS_WITH_AS(pm::reject_unknown_keys(pm::Json{{"colour", 2}}, known, "c"),
                       "c.colour: expected a known key, got an unknown one", pm::DataError);
  CHECK_THROWS_WITH_AS(pm::reject_unknown_keys<pm::UsageError>(pm::Json::array(), known, "c"),
                       "c: expected an object, got array", pm::UsageError);
  // A key of 8 MB is neither quoted as a whole nor compared with every known one.
  CHECK_THROWS_WITH_AS(pm::reject_unknown_keys(pm::Json{{std::string(8 << 20, 'e'), 2}}, known, "c"),
                       ("c." + std::string(60, 'e') + "...: expected a known key, got an unknown one").c_str(),
                       pm::DataError);
}

TEST_CASE("write_json: numbers have the same digits with every compiler, and read back as the same bits") {
  const std::vector<std::pair<double, std::string_view>> cases = {
      {0.0, "0.0"},
      {-0.0, "-0.0"},
      {1.0, "1.0"},
      {0.1, "0.1"},
      {1.0 / 3, "0.3333333333333333"},
      {2.0 / 3, "0.6666666666666666"},
      {1e-4, "0.0001"},
      {1e-5, "1e-05"},
      {1e14, "100000000000000.0"},
      {1e15, "1e+15"},
      {123456.789, "123456.789"},
      {5e-324, "5e-324"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {static_cast<double>(0.1f), "0.10000000149011612"},
  };
  for (const auto& [value, text] : cases) {
    CHECK(pm::write_json(value, "f") == text);
    const double back = pm::parse_json(text, "f").get<double>();
    CHECK(back == value);
    CHECK(std::signbit(back) == std::signbit(value));
  }
  for (std::uint64_t i = 0; i < 2000; ++i) {
    pm::RandomStream random(5, pm::Purpose::test, 0, i);
    const double value = std::ldexp(random.uniform(-1, 1), static_cast<int>(random.below(600)) - 300);
    CHECK(pm::parse_json(pm::write_json(value, "f"), "f").get<double>() == value);
  }
}

TEST_CASE("write_json: what JSON cannot say is refused by name") {
  CHECK(pm::write_json(pm::Json{{"a", {1, 2}}}, "f") == "{\"a\":[1,2]}");
  CHECK(pm::write_json(pm::Json{{"a", 1}}, "f", 2) == "{\n  \"a\": 1\n}");
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH_AS(pm::write_json(pm::Json{{"a", {{"b", {1.5, nan}}}}}, "m"),
                       "m: expected finite numbers, got a NaN or an infinity", pm::DataError);
  CHECK_THROWS_AS(pm::write_json<pm::UsageError>(-infinity, "m"), pm::UsageError);
  CHECK_THROWS_WITH_AS(pm::write_json(pm::Json{{"a", "\xFF"}}, "m"), "m: expected text in UTF-8, got other bytes",
                       pm::DataError);
  CHECK_THROWS_AS(pm::write_json(pm::Json{{"\xC3", 1}}, "m"), pm::DataError);
}

}  // namespace json_test
