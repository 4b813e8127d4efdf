// LSP and LSPET as they lie on disk: layouts, flags, splits, missing images.
#include "refusal.hpp"
#include "temporary_folder.hpp"

#include <posemachine/data/lsp.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <matio.h>

namespace lsp_test {

namespace pm = posemachine;
using test_environment::contains;
using test_environment::refusal;
using test_environment::TemporaryFolder;

namespace {

void write_joints(const std::filesystem::path& folder, std::vector<std::size_t> dims, std::vector<double> values) {
  std::filesystem::create_directories(folder / "images");
  mat_t* mat = Mat_CreateVer((folder / "joints.mat").c_str(), nullptr, MAT_FT_MAT5);
  matvar_t* variable = Mat_VarCreate("joints", MAT_C_DOUBLE, MAT_T_DOUBLE, 3, dims.data(), values.data(), 0);
  Mat_VarWrite(mat, variable, MAT_COMPRESSION_NONE);
  Mat_VarFree(variable);
  Mat_Close(mat);
}

void touch(const std::filesystem::path& path) { std::ofstream(path) << "x"; }

/// MATLAB coordinates of joint j of image n, both from 0.
double x_of(int n, int j) { return 100 * n + 2 * j + 1.5; }
double y_of(int n, int j) { return 1000 + 100 * n + 3 * j; }

/// LSP with `count` images; joint n % 14 of image n is flagged.
std::vector<double> lsp_values(int count) {
  std::vector<double> values;
  for (int n = 0; n < count; ++n) {
    for (int j = 0; j < 14; ++j) values.insert(values.end(), {x_of(n, j), y_of(n, j), j == n % 14 ? 1.0 : 0.0});
  }
  return values;
}

/// LSPET alike: the flagged joint is the only labelled one of its image.
std::vector<double> lspet_values(int count) {
  std::vector<double> values;
  for (int n = 0; n < count; ++n) {
    for (int j = 0; j < 14; ++j) values.push_back(x_of(n, j));
    for (int j = 0; j < 14; ++j) values.push_back(y_of(n, j));
    for (int j = 0; j < 14; ++j) values.push_back(j == n % 14 ? 1.0 : 0.0);
  }
  return values;
}

std::string lsp_name(int number) {
  return "images/im" + std::string(number < 10 ? "000" : "00") + std::to_string(number) + ".jpg";
}

void write_lsp(const std::filesystem::path& folder, int count) {
  write_joints(folder, {3, 14, std::size_t(count)}, lsp_values(count));
  for (int number = 1; number <= count; ++number) touch(folder / lsp_name(number));
}

}  // namespace

TEST_CASE("read_lsp: flag 1 is an occluded joint whose position holds, and pixels are counted from 0") {
  const TemporaryFolder folder;
  write_lsp(folder.path(), 16);
  const std::vector<pm::Person> people = pm::read_lsp(folder.path());
  REQUIRE(people.size() == 16);
  for (int n = 0; n < 16; ++n) {
    const pm::Person& person = people[std::size_t(n)];
    CHECK(person.number == n + 1);
    CHECK(person.dataset == "lsp");
    CHECK(person.framing == pm::Framing::image);
    CHECK(person.image == folder / lsp_name(n + 1));
    for (int j = 0; j < 14; ++j) {
      const pm::Joint& joint = person.joints[std::size_t(j)];
      CHECK(joint.position == pm::Point{x_of(n, j) - 1, y_of(n, j) - 1});
      CHECK(joint.state == (j == n % 14 ? pm::JointState::occluded : pm::JointState::visible));
    }
  }
}

TEST_CASE("read_lsp: photographs may have other endings") {
  const TemporaryFolder folder;
  write_joints(folder.path(), {3, 14, 4}, lsp_values(4));
  for (const char* name : {"im0001.JPG", "im0002.jpeg", "im0003.png", "im0004.jpg", "im0004.png"}) {
    touch(folder / "images" / name);
  }
  const auto people = pm::read_lsp(folder.path());
  REQUIRE(people.size() == 4);
  CHECK(people[0].image.filename() == "im0001.JPG");
  CHECK(people[1].image.filename() == "im0002.jpeg");
  CHECK(people[2].image.filename() == "im0003.png");
  CHECK(people[3].image.filename() == "im0004.jpg");
}

TEST_CASE("read_lspet: flag 1 is a labelled joint, and what is not labelled may be anything") {
  const TemporaryFolder folder;
  std::vector<double> values = lspet_values(3);
  values[5] = std::nan("");  // x of joint 5 of image 0, which is not labelled
  write_joints(folder.path(), {14, 3, 3}, values);
  for (const char* name : {"im00001.jpg", "im00002.jpg", "im00003.jpg"}) touch(folder / "images" / name);
  const std::vector<pm::Person> people = pm::read_lspet(folder.path());
  REQUIRE(people.size() == 3);
  CHECK(people[2].framing == pm::Framing::labelled_box);
  for (int n = 0; n < 3; ++n) {
    for (int j = 0; j < 14; ++j) {
      const pm::Joint& joint = people[std::size_t(n)].joints[std::size_t(j)];
      CHECK(joint.state == (j == n ? pm::JointState::visible : pm::JointState::unlabelled));
      CHECK(joint.position == (j == n ? pm::Point{x_of(n, j) - 1, y_of(n, j) - 1} : pm::Point{}));
    }
  }
}

TEST_CASE("read_lsp: the folders people unpack are found below the one given") {
  const TemporaryFolder folder;
  write_lsp(folder / "lsp_dataset", 2);
  CHECK(pm::read_lsp(folder.path()).size() == 2);
  write_joints(folder / "hr-lspet", {14, 3, 1}, lspet_values(1));
  touch(folder / "hr-lspet/images/im00001.jpg");
  CHECK(pm::read_lspet(folder.path()).size() == 1);
  CHECK(pm::lspet_image_count(folder.path()) == 1);
  const std::string none = refusal([&] { pm::read_lsp(folder / "hr-lspet" / "images"); });
  CHECK(contains(none, "expected joints.mat here or in lsp_dataset"));
  CHECK(contains(refusal([&] { pm::read_lsp(folder / "nowhere"); }), "no such directory"));
}

TEST_CASE("parse_split: the three names, ranges with both ends, and nothing else") {
  CHECK(pm::parse_split("train") == pm::ImageRange{1, 900});
  CHECK(pm::parse_split("val") == pm::ImageRange{901, 1000});
  CHECK(pm::parse_split("test") == pm::ImageRange{1001, pm::ImageRange::open});
  CHECK(pm::parse_split("7:7") == pm::ImageRange{7, 7});
  CHECK(pm::parse_split("1001:2000") == pm::ImageRange{1001, 2000});
  for (const char* wrong :
       {"", "Test", "5", "5:", ":5", "0:5", "6:5", "1:2:3", "1-5", " 1:5", "1:99999999999", "-1:5"}) {
    CAPTURE(std::string(wrong));
    CHECK_THROWS_AS(pm::parse_split(wrong), pm::UsageError);
  }
}

TEST_CASE("read_lsp: a range gives its images, both ends included") {
  const TemporaryFolder folder;
  write_lsp(folder.path(), 20);
  const auto people = pm::read_lsp(folder.path(), {.numbers = {5, 9}});
  REQUIRE(people.size() == 5);
  CHECK(people.front().number == 5);
  CHECK(people.back().number == 9);
  CHECK(people.back().joints[0].position.x == x_of(8, 0) - 1);
  CHECK(pm::read_lsp(folder.path(), {.numbers = {19, pm::ImageRange::open}}).size() == 2);
  CHECK(pm::lsp_image_count(folder.path()) == 20);
}

TEST_CASE("read_lsp: absent images fail with the first one's name and their count, or are kept where allowed") {
  const TemporaryFolder folder;
  write_lsp(folder.path(), 20);
  for (const int number : {4, 7, 12}) std::filesystem::remove(folder / lsp_name(number));
  const std::string message = refusal([&] { pm::read_lsp(folder.path()); });
  CHECK(contains(message, lsp_name(4) + ": expected all images of 1:20, got 3 missing"));
  CHECK(refusal([&] { pm::read_lsp(folder.path(), {.numbers = {8, 11}}); }) == "");
  CHECK(pm::read_lsp(folder.path(), {.numbers = {}, .allow_missing = true}).size() == 20);
  // Beyond the annotation: 18 images short, the three above not among them.
  const std::string beyond = refusal([&] { pm::read_lsp(folder.path(), {.numbers = {13, 38}}); });
  CHECK(contains(beyond, "im0021.jpg (not annotated either)"));
  CHECK(contains(beyond, "got 18 missing"));
  CHECK(pm::read_lsp(folder.path(), {.numbers = {13, 2'000'000'000}, .allow_missing = true}).size() == 8);
  const std::string absent = refusal([&] { pm::read_lsp(folder.path(), {.numbers = {4, 4}, .allow_missing = true}); });
  CHECK(contains(absent, lsp_name(4) + ": expected images of 4:4, got none of them"));
  const std::string none = refusal([&] { pm::read_lsp(folder.path(), {.numbers = {30, 40}, .allow_missing = true}); });
  CHECK(contains(none, "none of them"));
}

TEST_CASE("read_lsp: another shape, a third flag and a labelled joint without position are refused") {
  const TemporaryFolder folder;
  write_joints(folder.path(), {14, 3, 1}, lspet_values(1));
  CHECK(contains(refusal([&] { pm::read_lsp(folder.path()); }), "joints.mat: joints: expected 3 x 14 x images"));
  CHECK(contains(refusal([&] { pm::read_lsp(folder.path()); }), "is this LSPET?"));
  write_joints(folder.path(), {3, 16, 1}, std::vector<double>(48));
  CHECK(contains(refusal([&] { pm::read_lsp(folder.path()); }), "got 3 x 16 x 1"));
  std::vector<double> values = lsp_values(2);
  values[42 + 3 * 4 + 2] = 2;
  write_joints(folder.path(), {3, 14, 2}, values);
  touch(folder / lsp_name(1)), touch(folder / lsp_name(2));
  const std::string third = refusal([&] { pm::read_lsp(folder.path()); });
  CHECK(contains(third, "image 2, joint 5: expected finite x and y and a flag of 0 or 1"));
  values = lsp_values(2);
  values[1] = std::nan("");
  write_joints(folder.path(), {3, 14, 2}, values);
  CHECK(contains(refusal([&] { pm::read_lsp(folder.path()); }), "image 1, joint 1"));
}

TEST_CASE("mark_outside: labelled joints beyond the image's edges become outside, others keep their state") {
  std::vector<pm::Joint> joints{{{-0.5, -0.5}, pm::JointState::visible},  {{-0.51, 3}, pm::JointState::visible},
                                {{9.49, 4.49}, pm::JointState::occluded}, {{9.5, 2}, pm::JointState::occluded},
                                {{3, 4.5}, pm::JointState::visible},      {{-50, 0}, pm::JointState::unlabelled},
                                {{-50, 0}, pm::JointState::visible, 0}};
  pm::mark_outside(joints, 10, 5);
  using enum pm::JointState;
  const pm::JointState expected[]{visible, outside, occluded, outside, outside, unlabelled, visible};
  for (std::size_t j = 0; j < joints.size(); ++j) CHECK(joints[j].state == expected[j]);
}

}  // namespace lsp_test
