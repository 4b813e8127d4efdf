// safetensors: the bytes that are written, and every way in which a file can be wrong.
#include "temporary_folder.hpp"

#include <posemachine/base/files.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/model/safetensors.hpp>

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace safetensors_test {

namespace pm = posemachine;

namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// A file of that header as it stands and that data.
std::string file_of(std::string_view header, std::string_view data = "") {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(std::uint64_t{header.size()} >> (8 * i));
  return bytes.append(header).append(data);
}

std::string zeros(std::size_t floats) { return std::string(4 * floats, '\0'); }

// The header of one tensor "t" of two floats, with one of its members replaced.
std::string header_with(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "{\"t\":{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}";
}

std::string refusal(std::string_view bytes) {
  try {
    pm::parse_safetensors(bytes, "m.safetensors");
  } catch (const pm::ModelError& error) {
    return error.what();
  }
  return "taken";
}

pm::Tensor tensor(pm::Shape shape, std::vector<float> values) {
  pm::Tensor tensor(std::move(shape));
  tensor.values = std::move(values);
  return tensor;
}

pm::TensorFile example() {
  pm::TensorFile file;
  file.metadata = {{"note", "caf\xC3\xA9 \"quoted\"\n"}, {"format", "1"}};
  file.tensors.push_back({"z.weight", tensor({2, 1, 3}, {1, -2, 0.5f, 1e-30f, -0.0f, 3.4e38f})});
  file.tensors.push_back({"a.bias", tensor({2}, {7, 8})});
  file.tensors.push_back({"scalar", tensor({}, {9})});
  file.tensors.push_back({"empty", tensor({3, 0, 2}, {})});
  return file;
}

const std::vector<float>& floats(const pm::NamedTensor& entry) { return std::get<pm::Tensor>(entry.tensor).values; }

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), 4 * a.size()) == 0);
}

}  // namespace

TEST_CASE("write_safetensors: the bytes are those of the format, padded so that data begins at a multiple of 8") {
  pm::TensorFile file;
  file.metadata = {{"k", "v"}};
  file.tensors.push_back({"b", tensor({2}, {1, -2})});
  file.tensors.push_back({"a", tensor({1, 1}, {0.5f})});
  const std::string header = R"({"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                             R"("a":{"dtype":"F32","shape":[1,1],"data_offsets":[8,12]}})";
  const std::string data("\0\0\x80\x3F\0\0\0\xC0\0\0\0\x3F", 12);
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  REQUIRE(padded.size() > header.size());
  CHECK(pm::write_safetensors(file) == file_of(padded, data));
  CHECK(pm::write_safetensors({}) == file_of("{}      "));
}

TEST_CASE("write_safetensors: what is written is read back to the bit, in order, and written again as the same bytes") {
  const std::string bytes = pm::write_safetensors(example());
  const pm::TensorFile back = pm::parse_safetensors(bytes, "m");
  CHECK(back.metadata == example().metadata);
  REQUIRE(back.tensors.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    const pm::NamedTensor expected = example().tensors[i];
    CHECK(back.tensors[i].name == expected.name);
    CHECK(pm::shape_of(back.tensors[i].tensor) == pm::shape_of(expected.tensor));
    CHECK(same_bits(floats(back.tensors[i]), floats(expected)));
  }
  CHECK(pm::write_safetensors(back) == bytes);
  REQUIRE(back.find("a.bias") != nullptr);
  CHECK(std::get<pm::Tensor>(*back.find("a.bias")).values == std::vector<float>{7, 8});
  CHECK(back.find("a.bia") == nullptr);
}

TEST_CASE("write_safetensors: what no reader would take back is refused, naming the tensor") {
  const auto refused = [](pm::NamedTensor added) {
    pm::TensorFile file = example();
    file.tensors.push_back(std::move(added));
    try {
      pm::write_safetensors(file);
    } catch (const pm::ModelError& error) {
      return std::string(error.what());
    }
    return std::string("written");
  };
  CHECK(refused({"b", tensor({1}, {1})}) == "written");
  CHECK(refused({"a.bias", tensor({1}, {1})}) ==
        "safetensors: a.bias: expected a name of its own, got one that is taken");
  CHECK(contains(refused({"__metadata__", tensor({1}, {1})}), "__metadata__: expected a name of its own"));
  CHECK(refused({"b", tensor({2}, {1, 2, 3})}) ==
        "safetensors: b: expected 3 values in at most 8 extents, got shape (2)");
  CHECK(refused({"b", tensor({1, 1, 1, 1, 1, 1, 1, 1}, {1})}) == "written");
  CHECK(contains(refused({"b", tensor({1, 1, 1, 1, 1, 1, 1, 1, 1}, {1})}), "at most 8 extents"));
  pm::Tensor negative;
  negative.shape = {-1, -1};
  negative.values = {1};
  CHECK(contains(refused({"b", negative}), "got shape (-1, -1)"));
  CHECK(contains(refused({"\xFF", tensor({1}, {1})}), "expected text in UTF-8"));
}

TEST_CASE("parse_safetensors: a file that is right is taken, whatever its order, spaces and extents") {
  CHECK(refusal(file_of("{}")) == "taken");
  CHECK(refusal(file_of("{}   \n ")) == "taken");
  CHECK(refusal(file_of(header_with("\"F32\"", "[2]", "[0,8]"), zeros(2))) == "taken");
  CHECK(refusal(file_of(header_with("\"F32\"", "[1,2,1,1,1,1,1,1]", "[0,8]"), zeros(2))) == "taken");
  CHECK(refusal(file_of(header_with("\"F32\"", "[]", "[0,4]"), zeros(1))) == "taken");
  CHECK(refusal(file_of(header_with("\"F32\"", "[0,1099511627776,1099511627776]", "[0,0]"))) == "taken");
  CHECK(refusal(file_of(R"({"__metadata__":{}})")) == "taken");
  // Data may lie in another order than the header tells of.
  const std::string swapped = R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},)"
                              R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  const auto file = pm::parse_safetensors(file_of(swapped, std::string("\0\0\x80\x3F\0\0\0\x40", 8)), "m");
  CHECK(std::get<pm::Tensor>(*file.find("a")).values == std::vector<float>{1});
  CHECK(std::get<pm::Tensor>(*file.find("b")).values == std::vector<float>{2});
}

TEST_CASE("parse_safetensors: a file with one thing wrong is refused by the name of file and field") {
  const std::string good = header_with("\"F32\"", "[2]", "[0,8]");
  const auto with = [](const char* shape, const char* offsets, std::size_t floats = 2) {
    return file_of(header_with("\"F32\"", shape, offsets), zeros(floats));
  };
  const auto two = [](const std::string& first, const std::string& second) {
    return file_of("{\"p\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":" + first +
                       "},\"q\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":" + second + "}}",
                   zeros(2));
  };
  REQUIRE(refusal(file_of(good, zeros(2))) == "taken");
  REQUIRE(refusal(two("[0,4]", "[4,8]")) == "taken");
  std::string one_more = file_of("{}");
  one_more[0] = 3;
  std::string no_length = file_of("{}");
  no_length.replace(0, 8, 8, '\xFF');
  const std::vector<std::pair<std::string, std::string_view>> cases = {
      // length of the header
      {"", ": expected a safetensors file, got 0 bytes"},
      {std::string(7, '\0'), ": expected a safetensors file, got 7 bytes"},
      {std::string(8, '\0'), ": header: expected a JSON object"},
      {one_more, ": header length: expected at most 2, got 3"},
      {no_length, ": header length: expected at most 2, got 18446744073709551615"},
      {file_of(std::string((16 << 20) + 1, ' ')), ": header length: expected at most 16777216, got 16777217"},
      // the header as JSON
      {file_of(" {}"), ": header: expected a JSON object"},
      {file_of("[]"), ": header: expected a JSON object"},
      {file_of("{"), ": header: expected JSON, got unexpected end of input"},
      {file_of("{}x"), ": header: expected JSON"},
      {file_of(std::string_view("{}\0", 3)), ": header: expected JSON"},
      {file_of("{/**/}"), ": header: expected JSON"},
      {file_of("{\"\xC3\x28\":1}"), "ill-formed UTF-8"},
      {file_of(R"({"t":1,"t":1})"), "the key \"t\" twice"},
      {file_of(R"({"__metadata__":{"a":"1","a":"2"}})"), "the key \"a\" twice"},
      {file_of(R"({"t":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", zeros(2)),
       "the key \"dtype\" twice"},
      // metadata
      {file_of(R"({"__metadata__":[]})"), ": __metadata__: expected an object, got array"},
      {file_of(R"({"__metadata__":{"a":1}})"), ": __metadata__.a: expected a string, got number"},
      {file_of(R"({"__metadata__":{"a":null}})"), ": __metadata__.a: expected a string, got null"},
      {file_of(R"({"__metadata__":{"a":{}}})"), ": __metadata__.a: expected a string, got object"},
      // an entry's members
      {file_of(R"({"t":[]})"), ": t: expected an object, got array"},
      {file_of(R"({"t":{"shape":[2],"data_offsets":[0,8]}})", zeros(2)), ": t.dtype: expected a value, got nothing"},
      {file_of(R"({"t":{"dtype":"F32","data_offsets":[0,8]}})", zeros(2)), ": t.shape: expected a value, got nothing"},
      {file_of(R"({"t":{"dtype":"F32","shape":[2]}})", zeros(2)), ": t.data_offsets: expected a value, got nothing"},
      {file_of(R"({"t":{"dtype":"F32","shape":[2],"data_offset":[0,8]}})", zeros(2)), "did you mean \"data_offsets\"?"},
      // type
      {file_of(header_with("1", "[2]", "[0,8]"), zeros(2)), ": t.dtype: expected a string, got number"},
      {file_of(header_with("\"F33\"", "[2]", "[0,8]"), zeros(2)),
       ": t.dtype: expected F32, BF16, F16, I8, U8 or I32, got F33"},
      {file_of(header_with("\"f32\"", "[2]", "[0,8]"), zeros(2)),
       ": t.dtype: expected F32, BF16, F16, I8, U8 or I32, got f32"},
      {file_of(header_with("\"F64\"", "[1]", "[0,8]"), zeros(2)),
       ": t.dtype: expected F32, BF16, F16, I8, U8 or I32, got F64; convert"},
      {file_of(header_with("\"BF16\"", "[2]", "[0,8]"), zeros(2)), ": t.data_offsets: expected 4 bytes for shape [2]"},
      // shape
      {with("2", "[0,8]"), ": t.shape: expected an array, got number"},
      {with("[1,1,1,1,1,1,1,1,2]", "[0,8]"), ": t.shape: expected at most 8 extents, got 9"},
      {with("[-2]", "[0,8]"), ": t.shape: expected an integer of at least 0, got -2"},
      {with("[2.0]", "[0,8]"), ": t.shape: expected an integer of at least 0, got 2.0"},
      {with("[\"2\"]", "[0,8]"), ": t.shape: expected an integer of at least 0, got \"2\""},
      {with("[null]", "[0,8]"), ": t.shape: expected an integer of at least 0, got null"},
      {with("[18446744073709551616]", "[0,8]"), ": t.shape: expected an integer of at least 0"},
      {with("[18446744073709551615]", "[0,8]"), ": t.shape: expected a size that fits in memory"},
      // 4 * 2^33 * 2^33 is 16 modulo 2^64
      {with("[8589934592,8589934592]", "[0,8]"), ": t.shape: expected a size that fits in memory"},
      {with("[4611686018427387906]", "[0,8]"), ": t.shape: expected a size that fits in memory"},  // times 4: 8
      {with("[1099511627776,1099511627776,0]", "[0,0]", 0), ": t.shape: expected a size that fits in memory"},
      // offsets
      {with("[2]", "8"), ": t.data_offsets: expected an array, got number"},
      {with("[2]", "[0]"), ": t.data_offsets: expected two integers, got [0]"},
      {with("[2]", "[0,8,8]"), ": t.data_offsets: expected two integers, got [0,8,8]"},
      {with("[2]", "[-8,0]"), ": t.data_offsets: expected an integer of at least 0, got -8"},
      {with("[2]", "[0,8.0]"), ": t.data_offsets: expected an integer of at least 0, got 8.0"},
      {with("[2]", "[8,0]"), ": t.data_offsets: expected a range within the 8 bytes of data, got [8,0]"},
      {with("[2]", "[0,9]"), ": t.data_offsets: expected a range within the 8 bytes of data, got [0,9]"},
      {with("[2]", "[18446744073709551608,18446744073709551615]"), ": t.data_offsets: expected a range within"},
      {with("[1]", "[0,8]"), ": t.data_offsets: expected 4 bytes for shape [1], got 8"},
      {with("[3]", "[0,8]"), ": t.data_offsets: expected 12 bytes for shape [3], got 8"},
      {with("[2]", "[0,7]"), ": t.data_offsets: expected 8 bytes for shape [2], got 7"},
      {with("[0]", "[0,8]"), ": t.data_offsets: expected 0 bytes for shape [0], got 8"},
      // tiling
      {two("[0,4]", "[0,4]"), ": q.data_offsets: expected data from byte 4, without holes or overlaps, got 0"},
      {two("[0,4]", "[3,7]"), ": q.data_offsets: expected data from byte 4, without holes or overlaps, got 3"},
      {two("[4,8]", "[4,8]"), ": p.data_offsets: expected data from byte 0, without holes or overlaps, got 4"},
      {with("[1]", "[4,8]"), ": t.data_offsets: expected data from byte 0, without holes or overlaps, got 4"},
      {with("[1]", "[0,4]"), ": expected 4 bytes of tensor data, got 8"},
      {file_of(good, zeros(2) + "x"), ": expected 8 bytes of tensor data, got 9"},
      {file_of(good, zeros(2).substr(1)), ": t.data_offsets: expected a range within the 7 bytes of data"},
      {file_of("{}", "x"), ": expected 0 bytes of tensor data, got 1"},
      {with("[0]", "[4,4]"), ": t.data_offsets: expected data from byte 0"},
  };
  for (const auto& [bytes, message] : cases) {
    const std::string told = refusal(bytes);
    CAPTURE(told);
    CHECK(contains(told, message));
    CHECK(told.find("m.safetensors: ") == 0);
    CHECK(told.size() < 250);
  }
}

TEST_CASE("parse_safetensors: a file cut off anywhere is refused") {
  pm::TensorFile file = example();
  file.tensors.pop_back();  // a tensor without values needs no data
  const std::string bytes = pm::write_safetensors(file);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CAPTURE(length);
    CHECK(refusal(std::string_view(bytes).substr(0, length)) != "taken");
  }
}

TEST_CASE("parse_safetensors: hostile headers end at a limit: a million levels, a million names, a name of 8 MB") {
  CHECK(contains(refusal(file_of("{\"t\":" + std::string(1'000'000, '['))), "more than 64 levels"));
  std::string names = "{\"k\":0";
  for (int i = 1; i < 1'000'000; ++i) names += ",\"k" + std::to_string(i) + "\":0";
  CHECK(contains(refusal(file_of(names + "}")), "more than 1000000 values"));
  const std::string name(8 << 20, 'n');
  CHECK(refusal(file_of("{\"" + name + "\":{\"dtype\":\"F16\"}}")).size() < 250);
  CHECK(refusal(file_of("{\"t\":{\"" + name + "\":0}}")).size() < 250);
  CHECK(refusal(file_of("{\"__metadata__\":{\"" + name + "\":0}}")).size() < 250);
  // Two hundred thousand entries that claim the same bytes: found by sorting, and nothing is allocated for them.
  std::string claims = "{";
  for (int i = 0; i < 100'000; ++i) {
    claims += (i ? ",\"" : "\"") + std::to_string(i) + R"(":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  }
  CHECK(contains(refusal(file_of(claims + "}", zeros(1))), "without holes or overlaps"));
}

TEST_CASE("safetensors: tensors of every type keep their bits; F16 and BF16 that are not finite are refused") {
  pm::TensorFile file;
  pm::TensorOf<pm::BFloat16> halves({2, 2});
  for (int i = 0; i < 4; ++i) halves.values[std::size_t(i)] = pm::BFloat16(1.5f * static_cast<float>(i));
  pm::TensorOf<pm::Float16> small({3});
  small.values[1].bits = 1;  // the least above 0
  small.values[2].bits = 0xFBFF;
  pm::TensorOf<std::int8_t> bytes({1, 3});
  bytes.values = {-128, 0, 127};
  pm::TensorOf<std::uint8_t> levels({2});
  levels.values = {0, 255};
  pm::TensorOf<std::int32_t> sums({2});
  sums.values = {std::numeric_limits<std::int32_t>::min(), 16'777'217};  // no float is the second
  file.tensors = {{"bf16", halves}, {"f16", small}, {"s8", bytes}, {"u8", levels}, {"s32", sums}};
  const std::string written = pm::write_safetensors(file);
  for (const char* entry : {R"("bf16":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8]})",
                            R"("f16":{"dtype":"F16","shape":[3],"data_offsets":[8,14]})",
                            R"("s8":{"dtype":"I8","shape":[1,3],"data_offsets":[14,17]})",
                            R"("u8":{"dtype":"U8","shape":[2],"data_offsets":[17,19]})",
                            R"("s32":{"dtype":"I32","shape":[2],"data_offsets":[19,27]})"}) {
    CHECK(contains(written, entry));
  }
  const pm::TensorFile back = pm::parse_safetensors(written, "m");
  CHECK(pm::write_safetensors(back) == written);
  CHECK(std::get<pm::TensorOf<pm::Float16>>(*back.find("f16")).values == small.values);
  CHECK(std::get<pm::TensorOf<std::int8_t>>(*back.find("s8")).values == bytes.values);
  CHECK(std::get<pm::TensorOf<std::int32_t>>(*back.find("s32")).values == sums.values);
  CHECK(pm::to_floats(*back.find("bf16")).values == std::vector<float>{0, 1.5f, 3, 4.5f});
  CHECK(pm::to_floats(*back.find("f16")).values == std::vector<float>{0, 0x1p-24f, -65504});
  small.values[2].bits = 0x7C00;
  file.tensors[1].tensor = small;
  CHECK(contains(refusal(pm::write_safetensors(file)), "f16: expected finite values, got inf at element 2"));
  halves.values[0].bits = 0xFFC0;
  file.tensors = {{"bf16", halves}};
  CHECK(contains(refusal(pm::write_safetensors(file)), "bf16: expected finite values, got -nan at element 0"));
}

TEST_CASE("parse_safetensors: tensors of other types are skipped where that is asked for, and those behind them read") {
  const std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},)"
                             R"("tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]}})";
  const std::string bytes = file_of(header, std::string(8, '\x7F') + std::string("\0\0\x80\x3F", 4));
  CHECK(contains(refusal(bytes), "tracked.dtype: expected F32, BF16, F16, I8, U8 or I32, got I64; convert the tensor"));
  const pm::TensorFile file = pm::parse_safetensors(bytes, "m", {.skip_other_types = true});
  REQUIRE(file.tensors.size() == 1);
  CHECK(floats(file.tensors[0]) == std::vector<float>{1});
}

TEST_CASE("parse_safetensors: a value that is not finite is named by tensor and element, and taken only on request") {
  pm::TensorFile file = example();
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity(), std::bit_cast<float>(0x7F800001u)}) {
    std::get<pm::Tensor>(file.tensors[0].tensor).values[4] = bad;
    const std::string bytes = pm::write_safetensors(file);
    CHECK(contains(refusal(bytes), "m.safetensors: z.weight: expected finite values, got "));
    CHECK(contains(refusal(bytes), " at element 4"));
    const pm::TensorFile taken = pm::parse_safetensors(bytes, "m", {.finite_only = false});
    CHECK(same_bits(floats(taken.tensors[0]), floats(file.tensors[0])));
  }
}

TEST_CASE("read_safetensors: reads a file from disk; one that is missing or wrong is named") {
  const test_environment::TemporaryFolder temporary;
  const std::string folder = temporary.path().string();
  const std::string path = folder + "/m.safetensors";
  CHECK_THROWS_WITH_AS(pm::read_safetensors(path), (path + ": cannot be opened: No such file or directory").c_str(),
                       pm::ModelError);
  CHECK_THROWS_WITH_AS(pm::read_safetensors(folder), (folder + ": expected a file, got a folder").c_str(),
                       pm::ModelError);
  const std::string bytes = pm::write_safetensors(example());
  pm::write_file_atomically(path, bytes);
  CHECK(pm::write_safetensors(pm::read_safetensors(path)) == bytes);
  pm::write_file_atomically(path, bytes.substr(0, bytes.size() - 1));
  CHECK_THROWS_AS(pm::read_safetensors(path), pm::ModelError);
  // Tensors may lie in another order than their entries.
  const std::string entries = R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},)"
                              R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  const std::string swapped = file_of(entries, std::string("\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40", 12));  // 1, 2, 3
  pm::write_file_atomically(path, swapped);
  const pm::TensorFile read = pm::read_safetensors(path);
  REQUIRE(read.tensors.size() == 2);
  CHECK(read.tensors[0].name == "b");
  CHECK(floats(read.tensors[0]) == std::vector<float>{3});
  CHECK(floats(read.tensors[1]) == std::vector<float>{1, 2});
  // Sparse files, which take no room on the disk: the header is refused before their size is taken from memory.
  pm::write_file_atomically(path, file_of("{}", ""));
  std::filesystem::resize_file(path, std::uintmax_t{3} << 30);
  CHECK_THROWS_WITH_AS(pm::read_safetensors(path), doctest::Contains("expected 0 bytes of tensor data"),
                       pm::ModelError);
  std::filesystem::resize_file(path, std::uintmax_t{5} << 30);
  CHECK_THROWS_WITH_AS(pm::read_safetensors(path), doctest::Contains("expected at most 4294967296 bytes"),
                       pm::ModelError);
}

TEST_CASE("parse_safetensors: 20,000 mutations are refused or give tensors that agree with their shapes") {
  const std::string original = pm::write_safetensors(example());
  const std::size_t header_end = original.rfind('}') + 1;
  constexpr std::string_view letters = "{}[],:\"0123456789-.eF \\n\xFF";
  int taken = 0;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    pm::RandomStream random(17, pm::Purpose::test, 0, i);
    std::string bytes = original;
    for (std::uint64_t edits = 1 + random.below(3); edits > 0; --edits) {
      // Mostly the header: it is what is parsed.
      const std::size_t at = random.below(random.below(4) == 0 ? bytes.size() : std::min(header_end, bytes.size()));
      switch (random.below(6)) {
        case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8))); break;
        case 1: bytes[at] = letters[random.below(letters.size())]; break;
        case 2: bytes.erase(at, 1 + random.below(8)); break;
        case 3: bytes.insert(at, bytes.substr(random.below(bytes.size()), 1 + random.below(16))); break;
        case 4: bytes.resize(std::max<std::size_t>(1, at)); break;
        default: {  // a change of the header's text with a length that fits it
          if (bytes.size() <= 9) break;
          const std::size_t inside = 8 + random.below(std::min(header_end, bytes.size()) - 8);
          const auto count = static_cast<std::uint8_t>(random.below(3));
          bytes.insert(inside, std::string(count, letters[random.below(letters.size())]));
          bytes[0] = static_cast<char>(bytes[0] + count);
        }
      }
    }
    CAPTURE(i);
    try {
      const pm::TensorFile file = pm::parse_safetensors(bytes, "m");
      ++taken;
      for (const pm::NamedTensor& entry : file.tensors) {
        const pm::Tensor tensor = pm::to_floats(entry.tensor);
        REQUIRE(static_cast<std::size_t>(pm::element_count(tensor.shape)) == tensor.values.size());
        for (const float value : tensor.values) REQUIRE(std::isfinite(value));
      }
    } catch (const pm::ModelError& error) {
      REQUIRE(std::string_view(error.what()).substr(0, 3) == "m: ");
    }
  }
  CHECK(taken > 200);
  CHECK(taken < 19'000);
}

}  // namespace safetensors_test
