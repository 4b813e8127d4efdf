// LabelMe's files as it writes them, and what is refused.
#include "refusal.hpp"
#include "temporary_folder.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/data_sets.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/sets/labelme.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace labelme_test {

using namespace posemachine;
using test_environment::contains;
using test_environment::refusal;
using test_environment::TemporaryFolder;

namespace {

std::string shape(const std::string& label, const std::string& points, const std::string& rest = "",
                  const std::string& type = "point") {
  return "{\"label\":\"" + label + "\",\"points\":" + points + ",\"shape_type\":\"" + type + "\"" +
         (rest.empty() ? "" : "," + rest) + "}";
}

std::string file(const std::string& shapes, const std::string& image = "a.png") {
  return "{\"version\":\"5.4.1\",\"flags\":{},\"shapes\":[" + shapes + "],\"imagePath\":\"" + image +
         "\",\"imageData\":null,\"imageHeight\":20,\"imageWidth\":30}";
}

std::string picture() { return encode_png(Image(30, 20)); }

}  // namespace

TEST_CASE("read_labelme: points by label, people by group, joints in order of appearance; edges are at whole numbers") {
  const TemporaryFolder folder;
  for (const char* name : {"im2.png", "im10.png"}) folder.write(name, picture());
  folder.write("im10.json", file(shape("left_tip", "[[1,2]]", R"("group_id":null,"description":"","flags":{})") + "," +
                                     shape("base", "[[3.25,4]]", R"("group_id":null,"flags":{"occluded":true})"),
                                 "im10.png"));
  folder.write("im2.json",
               file(shape("base", "[[0.5,0.5]]", R"("group_id":1,"description":null,"flags":{},"mask":null)") + "," +
                        shape("arm", "[[9,12],[4,2]]", R"("group_id":1)", "rectangle") + "," +
                        shape("right_tip", "[[7,8]]", R"("group_id":2,"description":"occluded")") + "," +
                        shape("arm", "[[0,0],[5,0],[5,6],[0,6]]", R"("group_id":2)", "rectangle") + "," +
                        shape("arm", "[[0,0],[5,0]]", R"("group_id":3)", "rectangle") + "," +  // nobody's
                        shape("outline", "[[0,0],[5,0],[1,1]]", R"("group_id":2)", "polygon"),
                    "..\\\\" + folder.path().filename().string() + "\\\\im2.png"));
  const DataSetKinds kinds;
  const Annotations read = kinds.read(kinds.parse("labelme:" + folder.path().string()));
  CHECK(read.joints.joints == std::vector<std::string>{"base", "right_tip", "left_tip"});  // im2 before im10
  REQUIRE(read.left_out.size() == 3);
  CHECK(read.left_out[0].what == "boxes of no area");
  CHECK(read.left_out[0].places == std::vector<std::string>{(folder / "im2.json").string() + ": shapes[4]"});
  CHECK(read.left_out[1].what == "shapes that are no points or rectangles");
  CHECK(read.left_out[2].what == "rectangles without points");
  CHECK(read.joints.pairs == std::vector<std::pair<int, int>>{{2, 1}});
  CHECK(read.joints.name == "arm");
  REQUIRE(read.people.size() == 3);
  CHECK(read.people[0].image == folder / "im2.png");
  CHECK(read.people[0].joints[0].position == Point{0, 0});
  CHECK(!read.people[0].joints[1].is_labelled());
  CHECK(*read.people[0].box == Box{4, 2, 5, 10});
  CHECK(read.people[1].number == 1);
  CHECK(read.people[1].joints[1].state == JointState::occluded);
  CHECK(*read.people[1].box == Box{0, 0, 5, 6});
  CHECK(read.people[2].number == 2);
  CHECK(read.people[2].joints[2].state == JointState::visible);
  CHECK(read.people[2].joints[0].position == Point{2.75, 3.5});
  CHECK(read.people[2].joints[0].state == JointState::occluded);
  CHECK(!read.people[2].box);
}

TEST_CASE("read_labelme: what is wrong is said with file, shape and field") {
  const TemporaryFolder folder;
  folder.write("a.png", picture());
  const std::string good = shape("base", "[[1,2]]");
  const std::pair<std::string, const char*> cases[] = {
      {"[]", "a.json: expected an object with imagePath and shapes, got []"},
      {"{\"imagePath\":\"a.png\"}", "a.json.shapes: expected a value, got nothing"},
      {"{\"shapes\":[]}", "a.json.imagePath: expected a value, got nothing"},
      {"{\"shapes\":null,\"imagePath\":\"a.png\"}", "a.json.shapes: expected an array"},
      {file(""), "expected shapes of the type point, whose labels are the joints, got none in 1 files"},
      {file("3"), "shapes[0]: expected an object"},
      {file(good + "," + good), "shapes[1].label: expected each joint once per group_id, got \"base\" again; give"},
      {file("{\"label\":\"a\",\"points\":[[1,2]]}"), "shapes[0].shape_type: expected a value"},
      {file("{\"points\":[[1,2]],\"shape_type\":\"point\"}"), "shapes[0].label: expected a value"},
      {file("{\"label\":\"a\",\"shape_type\":\"point\"}"), "shapes[0].points: expected a value"},
      {file(shape("", "[[1,2]]")), "labels: joint set "},
      {file(shape("a", "[[1,2],[3,4]]")), "shapes[0].points: expected one point, got 2"},
      {file(shape("a", "[[1]]")), "shapes[0].points: expected x and y within a million pixels, got [1]"},
      {file(shape("a", "[[1,\"2\"]]")), "expected x and y within a million pixels, got [1,\"2\"]"},
      {file(shape("a", "[[1,1e12]]")), "expected x and y within a million pixels"},
      {file(shape("a", "[[1,1e999]]")), "a number that is too large"},
      {file(shape("a", "[[1,2]]", "\"group_id\":\"1\"")), "shapes[0].group_id: expected an integer"},
      {file(shape("a", "[[1,2]]", "\"group_id\":1.5")), "shapes[0].group_id: expected an integer"},
      {file(shape("a", "[[1,2]]", "\"flags\":3")), "shapes[0].flags: expected an object, got 3"},
      {file(shape("a", "[[1,2]]", "\"flags\":{\"occluded\":1}")), "flags.occluded: expected true or false"},
      {file(good + "," + shape("b", "[[1,2]]", "", "rectangle")), "shapes[1].points: expected 2 or 4 corners, got 1"},
      {file(shape("b", "[[1,2],[3,4]]", "", "rectangle") + "," + shape("b", "[[1,2],[3,4]]", "", "rectangle")),
       "shapes[1]: expected one rectangle per group_id, got another"},
      {file(good, "absent.png"), "absent.png: expected the images of"},
      {R"({"shapes":[],"imagePath":"a.png","imageWidth":"30","imageHeight":20})", "imageWidth: expected an integer"},
      {R"({"shapes":[],"imagePath":"a.png","imageWidth":60,"imageHeight":40})", "expected 30 x 20, the size of "},
      {std::string(100'000, '['), "more than 64 levels"},
  };
  for (const auto& [text, expected] : cases) {
    folder.write("a.json", text);
    const std::string message = refusal<DataError>([&] { read_labelme(folder.path()); });
    CAPTURE(message);
    CHECK(contains(message, expected));
    CHECK(contains(message, folder.path().string()));
  }
  folder.write("a.json", file(good));
  folder.write("b.json", file(good));
  CHECK(contains(refusal<DataError>([&] { read_labelme(folder.path()); }),
                 "b.json.imagePath: expected every image once, got a.png again"));
  folder.write("none/a.txt", "x");
  CHECK(contains(refusal<DataError>([&] { read_labelme(folder / "none"); }), "expected a .json file for each image"));
  CHECK(contains(refusal<DataError>([&] { read_labelme(folder / "nowhere"); }), "nowhere: cannot be read"));
}

}  // namespace labelme_test
