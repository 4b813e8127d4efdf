// MPII's own file: what MATLAB's oddities mean, and what is refused.
#include "data/mat_bytes.hpp"
#include "refusal.hpp"
#include "temporary_folder.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/data/data_sets.hpp>
#include <posemachine/data/sets/mpii.hpp>
#include <posemachine/data/sets/mpii_mat.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <matio.h>

namespace mpii_mat_test {

using namespace posemachine;
using test_environment::contains;
using test_environment::refusal;
using test_environment::TemporaryFolder;

namespace {

// Values as matio writes them, which knows nothing of our reader.
matvar_t* number(double value) {
  std::array<std::size_t, 2> one{1, 1};
  return Mat_VarCreate(nullptr, MAT_C_DOUBLE, MAT_T_DOUBLE, 2, one.data(), &value, 0);
}

matvar_t* byte(std::uint8_t value) {
  std::array<std::size_t, 2> one{1, 1};
  return Mat_VarCreate(nullptr, MAT_C_UINT8, MAT_T_UINT8, 2, one.data(), &value, 0);
}

matvar_t* whole(std::int64_t value) {
  std::array<std::size_t, 2> one{1, 1};
  return Mat_VarCreate(nullptr, MAT_C_INT64, MAT_T_INT64, 2, one.data(), &value, 0);
}

matvar_t* numbers(std::vector<double> values) {
  std::array<std::size_t, 2> dims{1, values.size()};
  return Mat_VarCreate(nullptr, MAT_C_DOUBLE, MAT_T_DOUBLE, 2, dims.data(), values.data(), 0);
}

matvar_t* text(std::string letters) {
  std::array<std::size_t, 2> dims{1, letters.size()};
  return Mat_VarCreate(nullptr, MAT_C_CHAR, MAT_T_UTF8, 2, dims.data(), letters.data(), 0);
}

matvar_t* none() {
  std::array<std::size_t, 2> dims{0, 0};
  return Mat_VarCreate(nullptr, MAT_C_DOUBLE, MAT_T_DOUBLE, 2, dims.data(), nullptr, 0);
}

using Members = std::vector<std::pair<const char*, matvar_t*>>;

// Structs have the fields of the first one; a null value is none at all.
matvar_t* structs(const std::vector<Members>& all, const char* name = nullptr) {
  std::array<std::size_t, 2> dims{1, all.size()};
  std::vector<const char*> fields;
  for (const auto& [field, value] : all.front()) fields.push_back(field);
  matvar_t* const made = Mat_VarCreateStruct(name, 2, dims.data(), fields.data(), unsigned(fields.size()));
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const auto& [field, value] : all[i]) {
      if (value != nullptr) Mat_VarSetStructFieldByName(made, field, i, value);
    }
  }
  return made;
}

matvar_t* cells(std::vector<matvar_t*> values) {
  std::array<std::size_t, 2> dims{values.size(), 1};
  return Mat_VarCreate(nullptr, MAT_C_CELL, MAT_T_CELL, 2, dims.data(), values.data(), 0);
}

matvar_t* point(double x, double y, double id, matvar_t* visible) {
  return structs({{{"x", number(x)}, {"y", number(y)}, {"id", number(id)}, {"is_visible", visible}}});
}

// MPII's oddities on five images: two people, one of them without points; a single struct in place of an array, flags
// that are letters, numbers, empty or absent; [] for a list of people; people of the test.
void write_release(const std::filesystem::path& path, bool compressed) {
  matvar_t* const two_points =
      structs({{{"x", number(11)}, {"y", number(21)}, {"id", number(0)}, {"is_visible", text("1")}},
               {{"x", number(12.5)}, {"y", number(22)}, {"id", byte(15)}, {"is_visible", text("0")}},
               {{"x", number(13)}, {"y", number(23)}, {"id", whole(9)}, {"is_visible", none()}},
               {{"x", number(14)}, {"y", number(24)}, {"id", number(7)}, {"is_visible", byte(0)}},
               {{"x", number(99)}, {"y", number(99)}, {"id", number(7)}, {"is_visible", byte(1)}}});
  matvar_t* const both = structs({{{"x1", number(10)},
                                   {"y1", whole(20)},
                                   {"x2", number(40)},
                                   {"y2", number(60)},
                                   {"annopoints", structs({{{"point", two_points}}})},
                                   {"scale", number(2.5)},
                                   {"objpos", structs({{{"x", number(301)}, {"y", number(201)}}})}},
                                  {{"x1", number(1)},
                                   {"y1", number(2)},
                                   {"x2", number(3)},
                                   {"y2", number(4)},
                                   {"annopoints", none()},
                                   {"scale", nullptr},
                                   {"objpos", none()}}});
  matvar_t* const alone = structs({{{"annopoints", structs({{{"point", point(5, 6, 3, number(1))}}})}}});
  matvar_t* const unmarked = structs(
      {{{"annopoints", structs({{{"point", structs({{{"x", number(7)}, {"y", number(8)}, {"id", number(4)}}})}}})}}});
  matvar_t* const tested =
      structs({{{"scale", number(3)}, {"objpos", structs({{{"x", number(1)}, {"y", number(2)}}})}}});
  const auto image = [](const char* name) { return structs({{{"name", text(name)}}}); };
  matvar_t* const annolist = structs({{{"image", image("b.jpg")}, {"annorect", both}, {"vididx", none()}},
                                      {{"image", image("empty.jpg")}, {"annorect", none()}, {"vididx", none()}},
                                      {{"image", image("a.jpg")}, {"annorect", alone}, {"vididx", none()}},
                                      {{"image", image("test.jpg")}, {"annorect", tested}, {"vididx", number(3)}},
                                      {{"image", image("c.jpg")}, {"annorect", unmarked}, {"vididx", nullptr}}});
  matvar_t* const release = structs({{{"annolist", annolist},
                                      {"img_train", numbers({1, 1, 1, 0, 1})},
                                      {"version", text("12")},
                                      {"single_person", cells({number(1), none(), none(), number(1), byte(1)})},
                                      {"act", structs({{{"cat_name", text("sports")}, {"act_id", number(-1)}}})}}},
                                    "RELEASE");
  mat_t* mat = Mat_CreateVer(path.c_str(), nullptr, MAT_FT_MAT5);
  Mat_VarWrite(mat, release, compressed ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE);
  Mat_VarFree(release);
  Mat_Close(mat);
}

// A file of one image with one person, some of it replaced.
struct Release {
  mat_bytes::Writer writer{};
  std::string name = writer.text("a.jpg");
  std::string x = writer.number(11), y = writer.number(21), id = writer.number(3), visible = writer.text("1");
  std::string x1 = writer.number(10), scale = writer.number(2), objpos{};
  std::string annorect{}, points{}, annopoints{}, annolist{}, img_train = writer.numbers({1});
  std::string single = writer.cells({writer.number(1)});

  std::string bytes() const {
    const auto or_else = [](const std::string& own, const std::string& other) { return own.empty() ? other : own; };
    const std::string point = writer.one({{"x", x}, {"y", y}, {"id", id}, {"is_visible", visible}});
    const std::string holder = writer.one({{"point", or_else(points, point)}});
    const std::string middle = writer.one({{"x", writer.number(50)}, {"y", writer.number(60)}});
    const std::string person = writer.one({{"x1", x1},
                                           {"y1", writer.number(20)},
                                           {"x2", writer.number(40)},
                                           {"y2", writer.number(60)},
                                           {"annopoints", or_else(annopoints, holder)},
                                           {"scale", scale},
                                           {"objpos", or_else(objpos, middle)}});
    const std::string image =
        writer.one({{"image", writer.one({{"name", name}})}, {"annorect", or_else(annorect, person)}});
    return writer.file(writer.one(
        {{"annolist", or_else(annolist, image)}, {"img_train", img_train}, {"single_person", single}}, "RELEASE"));
  }
};

}  // namespace

TEST_CASE("read_mpii_mat: joints by their ids, flags of every class, head boxes and places; the rest is counted") {
  const TemporaryFolder folder;
  for (const char* name : {"a.jpg", "b.jpg", "c.jpg"}) folder.write(std::string("images/") + name, "x");
  for (const bool compressed : {false, true}) {
    write_release(folder / "mpii.mat", compressed);
    const Annotations read = read_mpii(folder / "mpii.mat");
    CHECK(read.joints == mpii_joints());
    REQUIRE(read.people.size() == 3);
    const Person& first = read.people[0];
    CHECK(first.image == folder / "images/b.jpg");
    CHECK(first.dataset == "mpii");
    CHECK(first.number == 1);
    CHECK(first.framing == Framing::box);
    REQUIRE(first.joints.size() == 16);
    CHECK(first.joints[0].position == Point{10, 20});
    CHECK(first.joints[0].state == JointState::visible);
    CHECK(first.joints[15].position == Point{11.5, 21});
    CHECK(first.joints[15].state == JointState::occluded);
    CHECK(first.joints[9].state == JointState::visible);
    CHECK(first.joints[7].position == Point{13, 23});
    CHECK(first.joints[7].state == JointState::occluded);
    for (const std::size_t j : {1U, 2U, 3U, 4U, 5U, 6U, 8U, 10U, 11U, 12U, 13U, 14U}) {
      CHECK(!first.joints[j].is_labelled());
    }
    CHECK(*first.head_length == doctest::Approx(0.6 * 50));
    CHECK(*first.box == Box{300.5 - 250, 200.5 + 37.5 - 250, 500, 500});  // that of the JSON form, mpii_test.cpp
    CHECK(read.people[1].number == 3);
    CHECK(read.people[1].joints[3].position == Point{4, 5});
    CHECK(!read.people[1].head_length);
    CHECK(!read.people[1].box);
    CHECK(read.people[2].joints[4].state == JointState::visible);
    REQUIRE(read.left_out.size() == 3);
    CHECK(read.left_out[0].what == "joints that a person has twice");
    REQUIRE(read.left_out[0].places.size() == 1);
    CHECK(contains(read.left_out[0].places[0], "mpii.mat: RELEASE.annolist(1).annorect(1).annopoints.point(5)"));
    CHECK(read.left_out[1].what == "people without a labelled joint");
    CHECK(read.left_out[1].count == 1);
    CHECK(read.left_out[2].what == "people on test images");
  }
}

TEST_CASE("read_mpii_mat: parts are train, single and numbers of images, by the name that users write") {
  const TemporaryFolder folder;
  for (const char* name : {"a.jpg", "b.jpg", "c.jpg"}) folder.write(name, "x");
  write_release(folder / "mpii.mat", true);
  const DataSetKinds kinds;
  const auto numbers_of = [&](const std::string& part) {
    std::vector<int> numbers;
    for (const Person& person : kinds.read(kinds.parse("mpii:" + (folder / "mpii.mat").string() + part)).people) {
      numbers.push_back(person.number);
    }
    return numbers;
  };
  CHECK(numbers_of("") == std::vector{1, 3, 5});
  CHECK(numbers_of(":train") == std::vector{1, 3, 5});
  CHECK(numbers_of(":single") == std::vector{1, 5});
  CHECK(numbers_of(":2:4") == std::vector{3});
  CHECK(numbers_of(":3:99") == std::vector{3, 5});
  CHECK(contains(refusal<DataError>([&] { numbers_of(":6:9"); }), "expected images from 6 on, got 5 images"));
  CHECK(contains(refusal<DataError>([&] { numbers_of(":4:4"); }), "at least one annotated person"));
  CHECK(contains(refusal<UsageError>([&] { numbers_of(":val"); }), "MPII's own file has no validation part"));
  CHECK(contains(refusal<UsageError>([&] { numbers_of(":test"); }), "expected the part train or single, or numbers"));
  CHECK(contains(refusal<UsageError>([&] { numbers_of(":3:2"); }), "1 <= FIRST <= LAST"));
  std::filesystem::remove(folder / "a.jpg");
  CHECK(contains(refusal<DataError>([&] { numbers_of(""); }), "1 of 3 people without theirs"));
}

TEST_CASE("read_mpii_mat: files of the other byte order, small numbers and fields that were never assigned") {
  const TemporaryFolder folder;
  folder.write("a.jpg", "x");
  for (const bool little : {true, false}) {
    Release release{.writer = mat_bytes::Writer(little)};
    release.id = release.writer.small_number(12);
    release.visible = release.writer.nothing();
    release.scale = release.writer.nothing();
    const Annotations read = read_mpii(folder.write("a.mat", release.bytes()));
    REQUIRE(read.people.size() == 1);
    CHECK(read.people[0].joints[12].position == Point{10, 20});
    CHECK(read.people[0].joints[12].state == JointState::visible);
    CHECK(!read.people[0].box);
    CHECK(*read.people[0].head_length == doctest::Approx(30));
  }
}

TEST_CASE("read_mpii_mat: what is wrong is said with file, image, person and field") {
  const TemporaryFolder folder;
  folder.write("a.jpg", "x");
  const mat_bytes::Writer w;
  const auto with = [](std::string Release::* member, const std::string& value) {
    Release release;
    release.*member = value;
    return release.bytes();
  };
  const std::string person = "RELEASE.annolist(1).annorect(1)", dot = person + ".annopoints.point(1)";
  const std::pair<std::string, std::string> cases[] = {
      {"MATLAB", "expected a MATLAB v5 file"},
      {w.file(w.one({{"annolist", w.none()}}, "RELEASE")), "RELEASE.annolist: expected a value, got an empty array"},
      {w.file(w.one({{"images", w.none()}}, "RELEASE")), "RELEASE.annolist: expected a value, got no such field"},
      {w.file(w.numbers({1}, "RELEASE")), "RELEASE: expected a struct, got double"},
      {w.file(w.numbers({1}, "joints")), "RELEASE: expected MPII's annotation, a struct, got no variable of that name"},
      {with(&Release::annolist, w.number(1)), "RELEASE.annolist: expected a struct, got double"},
      {with(&Release::img_train, w.numbers({1, 0})),
       "RELEASE.img_train: expected 1 entries, one per image of annolist, got 2"},
      {with(&Release::img_train, w.numbers({2})), "RELEASE.img_train(1): expected 0 or 1, got 2"},
      {with(&Release::img_train, w.text("1")), "RELEASE.img_train: expected real numbers, got text"},
      {with(&Release::name, w.number(3)), "RELEASE.annolist(1).image.name: expected text, got double"},
      {with(&Release::name, w.none()), "RELEASE.annolist(1).image.name: expected a value, got an empty array"},
      {with(&Release::annorect, w.cells({w.number(1)})), "annolist(1).annorect: expected a struct, got a cell array"},
      {with(&Release::annopoints, w.number(1)), person + ".annopoints: expected a struct, got double"},
      {with(&Release::points, w.text("1")), person + ".annopoints.point: expected a struct, got text"},
      {with(&Release::id, w.number(16)), dot + ".id: expected a joint from 0 to 15, got 16"},
      {with(&Release::id, w.number(1.5)), dot + ".id: expected a joint from 0 to 15"},
      {with(&Release::id, w.none()), dot + ".id: expected a value, got an empty array"},
      {with(&Release::x, w.numbers({1, 2})), dot + ".x: expected one number, got 2 of double"},
      {with(&Release::x, w.text("9")), dot + ".x: expected real numbers, got text"},
      {with(&Release::y, w.number(1e7)), dot + ".y: expected a number within a million"},
      {with(&Release::y, w.number(std::nan(""))), dot + ".y: expected a number within a million, got nan"},
      {with(&Release::visible, w.text("2")), dot + ".is_visible: expected 0 or 1, got \"2\""},
      {with(&Release::visible, w.number(0.5)), dot + ".is_visible: expected 0 or 1"},
      {with(&Release::x1, w.text("a")), person + ".x1: expected real numbers, got text"},
      {with(&Release::scale, w.number(1e5)), person + ".scale: expected a height of at most a million pixels"},
      {with(&Release::objpos, w.number(1)), person + ".objpos: expected a struct, got double"},
      {with(&Release::objpos, w.one({{"x", w.number(1)}})), person + ".objpos.y: expected a value, got no such field"},
  };
  for (const auto& [bytes, expected] : cases) {
    const auto file = folder.write("a.mat", bytes);
    const std::string message = refusal<DataError>([&] { read_mpii(file); });
    CAPTURE(message);
    CHECK(contains(message, expected));
    CHECK(contains(message, "a.mat: "));
  }
  const std::pair<std::string, std::string> singles[] = {
      {w.cells({w.number(2)}), "RELEASE.single_person{1}: expected numbers of people from 1 to 1, got 2"},
      {w.cells({}), "RELEASE.single_person: expected a value, got an empty array"},
      {w.number(1), "RELEASE.single_person: expected a cell array, got double"},
      {w.cells({w.none(), w.none()}), "RELEASE.single_person: expected 1 entries, one per image of annolist, got 2"}};
  for (const auto& [single, expected] : singles) {
    const auto file = folder.write("a.mat", with(&Release::single, single));
    CHECK(contains(refusal<DataError>([&] { read_mpii(file, "single"); }), expected));
  }
}

TEST_CASE("read_mpii_mat: a file that is cut or announces more than it holds is refused before memory is taken") {
  const TemporaryFolder folder;
  folder.write("a.jpg", "x");
  const std::string whole = Release().bytes();
  int refused = 0;
  for (std::size_t bytes = 0; bytes < whole.size(); bytes += 8) {
    const auto file = folder.write("cut.mat", whole.substr(0, bytes));
    refused += refusal<DataError>([&] { read_mpii(file); }).empty() ? 0 : 1;
  }
  CHECK(refused == int((whole.size() + 7) / 8));
  // The dimensions of annolist: the first two numbers of 1 behind the fields' names.
  std::string many = whole;
  const std::size_t names = many.find("annolist");
  const std::size_t extents = many.find(std::string("\5\0\0\0\10\0\0\0\1\0\0\0\1\0\0\0", 16), names);
  REQUIRE(extents != std::string::npos);
  many.replace(extents + 8, 4, "\xff\xff\xff\x7f");
  const auto file = folder.write("many.mat", many);
  CHECK(contains(refusal<DataError>([&] { read_mpii(file); }), "expected 2147483647 structs, got damaged data"));
}

}  // namespace mpii_mat_test
