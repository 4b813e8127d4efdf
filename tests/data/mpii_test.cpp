// MPII as HRNet and MMPose have it on disk, and what is refused.
#include "refusal.hpp"
#include "temporary_folder.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/data_sets.hpp>
#include <posemachine/data/sets/mpii.hpp>
#include <posemachine/pose/joint_set.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <matio.h>

namespace mpii_test {

using namespace posemachine;
using test_environment::contains;
using test_environment::refusal;
using test_environment::TemporaryFolder;

namespace {

// A person as HRNet's files have one; the first ankle is absent.
Json person(const std::string& image = "012345678.jpg") {
  Json json = {{"joints_vis", Json::array()},
               {"joints", Json::array()},
               {"image", image},
               {"scale", 2.5},
               {"center", {301.0, 201.0}}};
  for (int j = 0; j < 16; ++j) {
    json["joints_vis"].push_back(j == 0 ? 0 : 1);
    json["joints"].push_back(j == 0 ? Json{-1.0, -1.0} : Json{100.0 + j, 50.5 + 2 * j});
  }
  return json;
}

// As MATLAB writes the ground truth: cells stand before what is wanted.
void write_heads(const std::filesystem::path& path, std::vector<double> corners) {
  std::filesystem::create_directories(path.parent_path());
  mat_t* mat = Mat_CreateVer(path.c_str(), nullptr, MAT_FT_MAT5);
  std::array<std::size_t, 2> one{1, 1};
  std::string name = "rank";
  std::array<std::size_t, 2> name_dims{1, name.size()};
  std::array<matvar_t*, 2> cell{Mat_VarCreate(nullptr, MAT_C_CHAR, MAT_T_UINT8, 2, name_dims.data(), name.data(), 0),
                                nullptr};
  std::array<std::size_t, 3> dims{2, 2, corners.size() / 4};
  for (matvar_t* variable :
       {Mat_VarCreate("dataset_joints", MAT_C_CELL, MAT_T_CELL, 2, one.data(), cell.data(), 0),
        Mat_VarCreate("headboxes_src", MAT_C_DOUBLE, MAT_T_DOUBLE, 3, dims.data(), corners.data(), 0)}) {
    Mat_VarWrite(mat, variable, MAT_COMPRESSION_ZLIB);
    Mat_VarFree(variable);
  }
  Mat_Close(mat);
}

}  // namespace

TEST_CASE("mpii_joints: a set that is sound, in which LSP's joints have LSP's names") {
  const JointSet mpii = mpii_joints();
  const JointSet lsp = lsp_joints();
  check(mpii);
  CHECK(mpii.joints.size() == 16);
  for (const std::string& name : lsp.joints) {
    CHECK(std::find(mpii.joints.begin(), mpii.joints.end(), name) != mpii.joints.end());
  }
  // The same pairs, torso and sticks by name.
  const auto names_of = [](const JointSet& set, const std::vector<int>& joints) {
    std::vector<std::string> names;
    for (const int joint : joints) names.push_back(set.joints[std::size_t(joint)]);
    return names;
  };
  REQUIRE(mpii.pairs.size() == lsp.pairs.size());
  for (std::size_t i = 0; i < lsp.pairs.size(); ++i) {
    CHECK(names_of(mpii, {mpii.pairs[i].first, mpii.pairs[i].second}) ==
          names_of(lsp, {lsp.pairs[i].first, lsp.pairs[i].second}));
  }
  CHECK(names_of(mpii, {mpii.torso[0], mpii.torso[1]}) == names_of(lsp, {lsp.torso[0], lsp.torso[1]}));
  REQUIRE(mpii.sticks.size() == lsp.sticks.size());
  for (std::size_t i = 0; i < lsp.sticks.size(); ++i) {
    CHECK(names_of(mpii, mpii.sticks[i].from) == names_of(lsp, lsp.sticks[i].from));
    CHECK(names_of(mpii, mpii.sticks[i].to) == names_of(lsp, lsp.sticks[i].to));
  }
}

TEST_CASE("read_mpii: as HRNet has it, counted from 1; the box is the crop of HRNet less its margin") {
  const TemporaryFolder folder;
  folder.write("images/012345678.jpg", "x");
  folder.write("images/087654321.jpg", "x");
  Json nowhere = person("087654321.jpg");
  nowhere["center"] = {-1, -1};
  nowhere["scale"] = -1;
  Json unseen = person();
  unseen["joints_vis"] = std::vector<int>(16, 0);
  folder.write("annot/valid.json", Json::array({person(), nowhere, unseen, person()}).dump());
  // Corners of x, then of y, per person; the second person's head has no size.
  write_heads(folder / "annot/gt_valid.mat", {10, 40, 20, 60, 5, 5, 5, 5, 0, 3, 0, 4, 1, 4, 1, 5});
  const Annotations read = read_mpii(folder.path(), "val");
  CHECK(read.joints == mpii_joints());
  REQUIRE(read.people.size() == 3);  // one has no joint
  const Person& first = read.people[0];
  CHECK(first.image == folder / "images/012345678.jpg");
  CHECK(!first.joints[0].is_labelled());
  CHECK(first.joints[1].position == Point{100, 51.5});
  CHECK(first.joints[1].state == JointState::visible);
  // 1.25 of it around its centre is HRNet's: 250 * scale around (300, 200 + 15 * scale), counted from 0.
  CHECK(*first.box == Box{300.5 - 250, 200.5 + 37.5 - 250, 500, 500});
  CHECK(*first.head_length == doctest::Approx(0.6 * 50));
  CHECK(read.people[1].image == first.image);  // people of one image stand together
  CHECK(*read.people[1].head_length == doctest::Approx(0.6 * 5));
  CHECK(!read.people[2].box);
  CHECK(!read.people[2].head_length);
}

TEST_CASE("read_mpii: as MMPose has it; train is the part that is meant without one") {
  const TemporaryFolder folder;
  folder.write("images/012345678.jpg", "x");
  for (const char* part : {"train", "val", "trainval"}) {
    folder.write(std::string("annotations/mpii_") + part + ".json", Json::array({person()}).dump());
  }
  const DataSetKinds kinds;
  const std::string dir = "mpii:" + folder.path().string();
  for (const char* part : {"", ":train", ":val", ":trainval"}) {
    const Annotations read = kinds.read(kinds.parse(dir + part));
    REQUIRE(read.people.size() == 1);
    CHECK(!read.people[0].head_length);
  }
  CHECK(kinds.joints({"mpii", "/nowhere", ""}).joints.size() == 16);  // said by the kind
  CHECK(contains(refusal<UsageError>([&] { read_mpii(folder.path(), "test"); }), "expected the part train, val or"));
  folder.write("elsewhere/012345678.jpg", "x");
  std::filesystem::remove_all(folder / "images");
  CHECK(contains(refusal<DataError>([&] { read_mpii(folder.path()); }), "1 of 1 people without theirs"));
  CHECK(read_mpii(folder.path(), "", {.images = folder / "elsewhere"}).people.size() == 1);
}

TEST_CASE("read_mpii: what is wrong is said with file, person and field") {
  const TemporaryFolder folder;
  folder.write("images/012345678.jpg", "x");
  const auto with = [](const char* key, const Json& value) {
    Json json = person();
    json[key] = value;
    return Json::array({person(), json}).dump();
  };
  const auto without = [](const char* key) {
    Json json = person();
    json.erase(key);
    return Json::array({json}).dump();
  };
  Json joints = person()["joints"];
  joints[3] = {1, "2"};
  const Json far = [&] {
    Json changed = person()["joints"];
    changed[3] = {1e12, 2};
    return changed;
  }();
  const std::pair<std::string, const char*> cases[] = {
      {"{}", "train.json: expected a list of people, got {}"},
      {"[]", "at least one annotated person"},
      {"[3]", "[0]: expected an object"},
      {without("image"), "[0].image: expected a value, got nothing"},
      {without("joints"), "[0].joints: expected a value"},
      {without("joints_vis"), "[0].joints_vis: expected a value"},
      {without("center"), "[0].center: expected a value"},
      {without("scale"), "[0].scale: expected a value"},
      {with("image", 3), "[1].image: expected a string"},
      {with("joints", nullptr), "[1].joints: expected an array"},
      {with("joints", {1, 2}), "[1].joints: expected 16 joints, got 2"},
      {with("joints", joints), "[1].joints[3]: expected x and y within a million pixels, got [1,\"2\"]"},
      {with("joints", far), "[1].joints[3]: expected x and y within a million pixels"},
      {with("joints_vis", std::vector<int>(15, 1)), "[1].joints_vis: expected 16 flags, got 15"},
      {with("joints_vis", std::vector<int>(16, 2)), "[1].joints_vis[0]: expected 0 or 1, got 2"},
      {with("joints_vis", std::vector<std::string>(16, "1")), "[1].joints_vis[0]: expected 0 or 1, got \"1\""},
      {with("center", {1, 2, 3}), "[1].center: expected x and y"},
      {with("scale", "2"), "[1].scale: expected a number"},
      {"[{\"image\":\"a\",\"scale\":1e999}]", "a number that is too large"},
      {std::string(100'000, '['), "more than 64 levels"},
  };
  for (const auto& [text, expected] : cases) {
    folder.write("annot/train.json", text);
    const std::string message = refusal<DataError>([&] { read_mpii(folder.path()); });
    CAPTURE(message);
    CHECK(contains(message, expected));
    CHECK(contains(message, "train.json"));
  }
}

TEST_CASE("read_mpii: head boxes of other people are refused, and a folder with MPII's own file, which is named") {
  const TemporaryFolder folder;
  folder.write("images/012345678.jpg", "x");
  folder.write("annot/valid.json", Json::array({person(), person()}).dump());
  write_heads(folder / "annot/gt_valid.mat", {10, 40, 20, 60});
  CHECK(contains(refusal<DataError>([&] { read_mpii(folder.path(), "val"); }),
                 "gt_valid.mat: headboxes_src: expected 2 x 2 x 2, two corners per person of "));
  write_heads(folder / "annot/gt_valid.mat", {0, 1e300, 0, 1e300, 0, 1, 0, 1});
  CHECK(contains(refusal<DataError>([&] { read_mpii(folder.path(), "val"); }),
                 "headboxes_src, person 1: expected corners within a million pixels"));
  folder.write("annot/gt_valid.mat", "MATLAB");
  CHECK(contains(refusal<DataError>([&] { read_mpii(folder.path(), "val"); }), "gt_valid.mat: expected a MATLAB v5"));
  CHECK(contains(refusal<DataError>([&] { read_mpii(folder.path()); }),
                 "expected annot/train.json or annotations/mpii_train.json, got neither"));
  folder.write("mpii_human_pose_v1_u12_1.mat", "x");
  CHECK(contains(
      refusal<DataError>([&] { read_mpii(folder.path()); }),
      "got MPII's own file; name the file itself: mpii:" + (folder / "mpii_human_pose_v1_u12_1.mat").string()));
}

}  // namespace mpii_test
