// YAML in: what is read as what, and what is refused before it costs memory or time.
#include "refusal.hpp"
#include "temporary_folder.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/yaml_file.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>

namespace yaml_file_test {

using namespace posemachine;
using test_environment::contains;
using test_environment::refusal;
using test_environment::TemporaryFolder;

TEST_CASE("parse_yaml: mappings, sequences and scalars, in blocks and in flow, are the JSON that they stand for") {
  const Json read = parse_yaml(R"(# a comment
path: ../data set  # another
names:
  0: person
  1: 'a "dog"'
shape: [17, 3]
list:
  - -2
  - 1.5e2
  - +3
  - .5
empty:
nothing: ~
flags: [true, False, null]
words: [yes, 1.2.3, "12", 0x10, 1e, -, +-1]
text: "tab\tand \u00e9"
folded: >
  two
  lines
)",
                               "t");
  CHECK(read == Json::parse(R"({"path":"../data set","names":{"0":"person","1":"a \"dog\""},"shape":[17,3],
    "list":[-2,150.0,3,0.5],"empty":null,"nothing":null,"flags":[true,false,null],
    "words":["yes","1.2.3","12","0x10","1e","-","+-1"],"text":"tab\tand \u00e9","folded":"two lines\n"})"));
  CHECK(parse_yaml("", "t").is_null());
  CHECK(parse_yaml("--- {a: &x [1, 2], b: *x}\n...\n", "t") == Json{{"a", {1, 2}}, {"b", {1, 2}}});
}

TEST_CASE("parse_yaml: what is no plain document is refused with its line") {
  const std::pair<std::string, const char*> cases[] = {
      {"a: [1, 2", "t: expected YAML, got did not find expected ',' or ']' (line "},
      {"a: 1\nb: 2\na: 3", "the key \"a\" twice (line 3)"},
      {"a: 1\n? [1, 2]\n: 3", "a key that is no word or number (line 2)"},
      {"a: !!python/object:os.system [x]", "the tag tag:yaml.org,2002:python/object:os.system (line 1)"},
      {"a: 1\n---\nb: 2", "a second document (line 2)"},
      {"a: *b", "the alias *b of nothing that ended before it"},
      {"a: &a [*a]", "the alias *a of nothing that ended before it"},
      {"a: 1e999", "a number that is too large"},
      {"a: \xFF", "(line 1)"},
      {std::string("a: \0", 4), "(line 1)"},
      {"\tb: 1", "found character that cannot start any token"},
  };
  for (const auto& each : cases) {
    const std::string message = refusal<DataError>([&] { parse_yaml(each.first, "t"); });
    CAPTURE(message);
    CHECK(contains(message, each.second));
  }
}

TEST_CASE("parse_yaml: depth, values, bytes and copies are bounded") {
  const std::string deep_flow(100'000, '[');
  std::string deep_block;
  for (int i = 0; i < 100'000; ++i) deep_block += "- ";
  for (const std::string& text : {deep_flow, deep_block}) {
    CHECK(contains(refusal<DataError>([&] { parse_yaml(text, "t"); }), "more than 64 levels"));
  }
  // Ten lines of ten aliases each: ten thousand million values.
  std::string laughs = "a0: &a0 [lol]\n";
  for (int i = 1; i < 10; ++i) {
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) laughs += (k ? ", *a" : "*a") + std::to_string(i - 1);
    laughs += "]\n";
  }
  CHECK(contains(refusal<DataError>([&] { parse_yaml(laughs, "t"); }), "more than 1000000 values"));
  // One long text, many times.
  std::string long_text = "a: &a " + std::string(100'000, 'x') + "\nb: [*a";
  for (int i = 0; i < 1000; ++i) long_text += ", *a";
  CHECK(contains(refusal<DataError>([&] { parse_yaml(long_text + "]", "t"); }), "bytes in aliases"));
  std::string many = "[1";
  for (int i = 0; i < 1'000'000; ++i) many += ",1";
  CHECK(contains(refusal<DataError>([&] { parse_yaml(many + "]", "t"); }), "more than 1000000 values"));
  const TemporaryFolder folder;
  const auto file = folder.write("large.yaml", "a: 12345678");
  CHECK(contains(refusal<DataError>([&] { read_yaml(file, {.bytes = 10}); }), "large.yaml: expected at most 10 bytes"));
  CHECK(contains(refusal<DataError>([&] { parse_yaml("a: 12345678", "t", {.bytes = 10}); }), "at most 10 bytes"));
  CHECK(contains(refusal<DataError>([&] { read_yaml(folder / "none.yaml"); }), "none.yaml: cannot be opened"));
}

}  // namespace yaml_file_test
