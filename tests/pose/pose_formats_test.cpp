// Formats of poses: their bytes, what becomes of missing keypoints and odd names, several images in one file.
#include "refusal.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose_formats.hpp>

#include <doctest/doctest.h>

#include <clocale>
#include <string>
#include <vector>

namespace pose_formats_test {

namespace pm = posemachine;
using test_environment::contains;
using test_environment::refusal;

namespace {

pm::JointSet arm() {
  pm::JointSet set;
  set.name = "arm";
  set.joints = {"elbow", "a_name_of_more_than_16"};
  return set;
}

// The first with both joints, the second without its first one.
pm::ImagePoses two_people() {
  const pm::Pose first{{0, 0, 40, 30.5}, {{{10.25, 3.0001}, 0.5}, {{7, 1.5}, 1}}};
  const pm::Pose second{{-3, 1e-7, 1234567, 2}, {{}, {{1.0 / 3, 2}, 0.25}}};
  return {"a \"b\".jpg", 640, 480, 139, {first, second}};
}

std::string written(const std::string& format, const std::vector<pm::ImagePoses>& images) {
  pm::PoseWriter writer(pm::PoseFormats().get(format, "format"), arm());
  std::string text = writer.begin();
  for (const pm::ImagePoses& image : images) text += writer.next(image);
  return text + writer.end();
}

// docs: begin own_format
std::string head_count(const pm::ImagePoses& image, const pm::JointSet&) {
  return image.image + " has " + std::to_string(image.poses.size());
}

constexpr pm::PoseFormat count_format{
    .name = "count", .does = "how many people there are", .text = head_count, .separator = ", ", .end = "\n"};
// docs: end own_format

}  // namespace

TEST_CASE("pose formats: of nobody JSON keeps the pose and says so, all others have none") {
  pm::ImagePoses image = two_people();
  const pm::Json unjudged = pm::to_json(image, arm());
  CHECK_FALSE(unjudged.contains("person"));
  for (const char* format : {"text", "coco", "openpose", "csv"}) {
    CAPTURE(format);
    image.shows_person = true;
    CHECK(written(format, {image}) == written(format, {two_people()}));
    image.shows_person = false;
    pm::ImagePoses empty = two_people();
    empty.poses.clear();
    CHECK(written(format, {image}) == written(format, {empty}));
  }
  const pm::Json nobody = pm::to_json(image, arm());
  CHECK(nobody["person"] == false);
  CHECK(nobody["poses"] == unjudged["poses"]);
}

TEST_CASE("pose formats: text is a table per person, as printf writes it in every locale") {
  const std::string expected =
      "a \"b\".jpg: 640 x 480 pixels\n"
      "person in 0,0,40,30.5, score 0.75\n"
      "  elbow               10.2      3.0   0.50\n"
      "  a_name_of_more_than_16     7.0      1.5   1.00\n"
      "person in -3,1e-07,1.23457e+06,2, score 0.12\n"
      "  elbow           not found\n"
      "  a_name_of_more_than_16     0.3      2.0   0.25\n";
  CHECK(written("text", {two_people()}) == expected);
  CHECK(written("text", {{"empty.jpg", 8, 6, 1, {}}}) == "empty.jpg: 8 x 6 pixels\nno person\n");
  const std::string before = std::setlocale(LC_NUMERIC, nullptr);
  if (std::setlocale(LC_NUMERIC, "de_DE.UTF-8") != nullptr) CHECK(written("text", {two_people()}) == expected);
  std::setlocale(LC_NUMERIC, before.c_str());
}

TEST_CASE("pose formats: json is an object per image with names and nulls, ndjson the same lines") {
  const std::string expected =
      "{\"image\":\"a \\\"b\\\".jpg\",\"width\":640,\"height\":480,\"poses\":["
      "{\"box\":[0.0,0.0,40.0,30.5],\"score\":0.75,\"keypoints\":[{\"name\":\"elbow\",\"x\":10.25,\"y\":3.0,\"score\":"
      "0.5},"
      "{\"name\":\"a_name_of_more_than_16\",\"x\":7.0,\"y\":1.5,\"score\":1.0}]},"
      "{\"box\":[-3.0,1e-07,1234567.0,2.0],\"score\":0.125,\"keypoints\":[{\"name\":\"elbow\",\"x\":null,\"y\":null,"
      "\"score\":0.0},"
      "{\"name\":\"a_name_of_more_than_16\",\"x\":0.3330078125,\"y\":2.0,\"score\":0.25}]}]}\n";
  CHECK(written("json", {two_people()}) == expected);
  CHECK(written("ndjson", {two_people(), two_people()}) == expected + expected);
  pm::ImagePoses odd{"caf\xE9.jpg", 1, 1, 0, {}};  // Latin-1: JSON is UTF-8
  CHECK(written("ndjson", {odd}) == "{\"image\":\"caf\xEF\xBF\xBD.jpg\",\"width\":1,\"height\":1,\"poses\":[]}\n");
}

TEST_CASE("pose formats: coco is one list, whatever images have nobody, with mean scores and zeros for the missing") {
  const std::string people =
      "\n{\"image_id\":139,\"category_id\":1,\"keypoints\":[10.25,3.0,0.5,7.0,1.5,1.0],\"score\":0.75},"
      "\n{\"image_id\":139,\"category_id\":1,\"keypoints\":[0.0,0.0,0.0,0.3330078125,2.0,0.25],\"score\":0.125}";
  const pm::ImagePoses nobody{"b.jpg", 1, 1, 2, {}};
  CHECK(written("coco", {two_people()}) == "[" + people + "\n]\n");
  CHECK(written("coco", {nobody, two_people(), nobody, two_people(), nobody}) == "[" + people + "," + people + "\n]\n");
  for (const std::vector<pm::ImagePoses>& none : {std::vector<pm::ImagePoses>{}, {nobody, nobody}}) {
    CHECK(pm::parse_json(written("coco", none), "coco") == pm::Json::array());
  }
}

TEST_CASE("pose formats: openpose has every list that its readers look up") {
  const pm::Json json = pm::parse_json(written("openpose", {two_people()}), "openpose");
  CHECK(json["version"] == 1.3);
  REQUIRE(json["people"].size() == 2);
  const pm::Json& second = json["people"][1];
  CHECK(second["person_id"].dump() == "[-1]");
  CHECK(second["pose_keypoints_2d"] == pm::Json({0.0, 0.0, 0.0, 0.3330078125, 2.0, 0.25}));
  for (const char* part : {"face", "hand_left", "hand_right"}) {
    CHECK(second[std::string(part) + "_keypoints_2d"] == pm::Json::array());
    CHECK(second[std::string(part) + "_keypoints_3d"] == pm::Json::array());
  }
  CHECK(second["pose_keypoints_3d"] == pm::Json::array());
  CHECK(written("openpose", {{"nobody.jpg", 1, 1, 0, {}}}) == "{\"version\":1.3,\"people\":[]}\n");
}

TEST_CASE("pose formats: csv has one header, a row per person, and quotes what would break a row") {
  const std::string header =
      "image,elbow_x,elbow_y,elbow_score,a_name_of_more_than_16_x,a_name_of_more_than_16_y,"
      "a_name_of_more_than_16_score,box_x,box_y,box_width,box_height\n";
  const std::string rows =
      "\"a \"\"b\"\".jpg\",10.25,3.0,0.5,7.0,1.5,1.0,0.0,0.0,40.0,30.5\n"
      "\"a \"\"b\"\".jpg\",,,0.0,0.3330078125,2.0,0.25,-3.0,1e-07,1234567.0,2.0\n";
  CHECK(written("csv", {two_people(), {"nobody.jpg", 1, 1, 0, {}}, two_people()}) == header + rows + rows);
  CHECK(written("csv", {}) == header);
  for (const char* name : {"a,b", "a\nb", "a\rb"}) {
    pm::ImagePoses image = two_people();
    image.image = name;
    CHECK(contains(written("csv", {image}), "\n\"" + std::string(name) + "\",10.25,"));
  }
  pm::JointSet boxes;
  boxes.joints = {"hand", "box"};
  CHECK(contains(refusal<pm::UsageError>([&] { pm::PoseWriter(pm::csv_format, boxes).begin(); }), "\"box_x\" twice"));
}

TEST_CASE("pose formats: a writer refuses poses of other joints, and write_poses is a file of one image") {
  pm::ImagePoses image = two_people();
  CHECK(pm::write_poses(pm::coco_format, image, arm()) == written("coco", {image}));
  image.poses[1].keypoints.pop_back();
  const pm::PoseFormats formats;
  for (const pm::PoseFormat& format : formats.all()) {
    CHECK(contains(refusal<pm::UsageError>([&] { pm::write_poses(format, image, arm()); }),
                   "expected 2 for the joint set arm, got 1"));
  }
}

TEST_CASE("PoseFormats: one's own stands beside the library's; misspelt and doubtful ones are refused") {
  const pm::PoseFormats formats{count_format};
  CHECK(formats.all().size() == pm::PoseFormats().all().size() + 1);
  pm::PoseWriter writer(formats.get("count", "format"), arm());
  CHECK(writer.next(two_people()) == "a \"b\".jpg has 2");
  CHECK(writer.next(two_people()) == ", a \"b\".jpg has 2");
  CHECK(writer.end() == "\n");
  CHECK(refusal<pm::UsageError>([&] { formats.get("coc", "--format"); }) ==
        "--format: expected one of text, json, ndjson, coco, openpose, csv, count, got \"coc\"; "
        "did you mean \"coco\"?");
  CHECK(formats.find("Coco") == nullptr);
  const auto refuse = [](pm::PoseFormat format, const std::string& message) {
    CHECK(contains(refusal<pm::UsageError>([&] { pm::PoseFormats{format}; }), message));
  };
  refuse(pm::coco_format, "a name of its own");
  refuse({.name = "mine"}, "expected a function text");
  refuse({.text = head_count}, "expected a name");
}

}  // namespace pose_formats_test
