// Data sets by kind: COCO's JSON as several tools write it, tables, names of joints, parts and shares.
#include "refusal.hpp"
#include "temporary_folder.hpp"

#include <posemachine/base/files.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/data_sets.hpp>
#include <posemachine/pose/formats/csv.hpp>
#include <posemachine/pose/joint_names.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/model_spec_json.hpp>
#include <posemachine/pose/pose_format.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace data_sets_test {

using namespace posemachine;
using test_environment::contains;
using test_environment::refusal;
using test_environment::TemporaryFolder;

namespace {

const std::string arm_categories =
    R"("categories":[{"id":1,"name":"arm","keypoints":["base","left_tip","right_tip"],"skeleton":[[1,2],[1,3]]}])";

std::string coco(const std::string& annotations, const std::string& images = R"({"id":5,"file_name":"a.png"})",
                 const std::string& categories = arm_categories) {
  return "{\"images\":[" + images + "],\"annotations\":[" + annotations + "]," + categories + "}";
}

std::string annotation(const std::string& rest, int id = 1) {
  return "{\"id\":" + std::to_string(id) + R"(,"image_id":5,"category_id":1,)" + rest + "}";
}

}  // namespace

TEST_CASE("sided_name: sides in the spellings of the field; words that only begin so are no sides") {
  for (const char* name : {"left_knee", "Left Knee", "LEFT-KNEE", "knee_left", "l_knee", "L_Knee", "knee_l", "knee-L",
                           "LKnee", "leftKnee", "kneeLeft", "left.knee"}) {
    CAPTURE(name);
    CHECK(sided_name(name).side == Side::left);
    CHECK(sided_name(name).rest == "knee");
  }
  CHECK(sided_name("right_big_toe").side == Side::right);
  CHECK(sided_name("right_big_toe").rest == "big_toe");
  for (const char* name : {"neck", "lip", "rib", "leftover", "bright", "lower_back", "r", "left", "tail", "RF1", "LED",
                           "BRIGHT", "LEFTOVER", "UPRIGHT"}) {
    CAPTURE(name);
    CHECK(sided_name(name).side == Side::none);
  }
}

TEST_CASE("joint_set_from_names: pairs, groups and torso follow from the names, limbs are coloured by side") {
  const std::vector<std::pair<int, int>> limbs{{1, 3}, {2, 4}, {0, 1}};
  const JointSet set = joint_set_from_names(
      "body", {"nose", "left_shoulder", "right_shoulder", "left_hip", "right_hip", "left_tail"}, limbs);
  CHECK(set.pairs == std::vector<std::pair<int, int>>{{1, 2}, {3, 4}});
  CHECK(set.torso == std::array{1, 4});
  REQUIRE(set.groups.size() == 4);
  CHECK(set.groups[0] == JointGroup{"nose", {0}});
  CHECK(set.groups[1] == JointGroup{"shoulder", {1, 2}});
  CHECK(set.groups[2] == JointGroup{"hip", {3, 4}});
  CHECK(set.groups[3] == JointGroup{"left_tail", {5}});  // no right one
  CHECK(set.sticks.empty());
  REQUIRE(set.limbs.size() == 3);
  CHECK(set.limbs[0].colour != set.limbs[1].colour);
  CHECK(set.limbs[2].colour != set.limbs[0].colour);
  CHECK(!has_torso(joint_set_from_names("arm", {"base", "tip"})));
  CHECK_THROWS_AS(joint_set_from_names("twice", {"a", "a"}), ModelError);
  // A joint of a pair's name is another group.
  const JointSet hips = joint_set_from_names("hips", {"hip", "left_hip", "right_hip"});
  REQUIRE(hips.groups.size() == 2);
  CHECK(hips.groups[0].name == "hip");
  CHECK(hips.groups[1].name == "hip (left, right)");
  // Files keep that there is no torso.
  const JointSet arm = joint_set_from_names("arm", {"base", "tip"});
  CHECK(!joint_set_to_json(arm).contains("torso"));
  CHECK(joint_set_from_json(joint_set_to_json(arm), "j") == arm);
}

TEST_CASE("joint_set_from_some_json: names alone will do, and what is given replaces what follows from them") {
  CHECK(joint_set_from_some_json(Json::array({"l_hand", "r_hand"}), "j").pairs.size() == 1);
  const Json some = {{"name", "hands"}, {"joints", {"l_hand", "r_hand"}}, {"pairs", Json::array()}};
  CHECK(joint_set_from_some_json(some, "j").pairs.empty());
  CHECK(joint_set_from_some_json(some, "j").name == "hands");
  CHECK(contains(refusal([] { joint_set_from_some_json(Json{{"joint", {"a"}}}, "f.json"); }), "f.json.joints"));
  CHECK(contains(refusal([] { joint_set_from_some_json(Json::array({"a", 1}), "f.json"); }), "expected names, got 1"));
}

TEST_CASE("read_coco: joints, limbs, boxes and states; crowds and people without a labelled joint are left out") {
  const TemporaryFolder folder;
  folder.write("images/a.png", "x");
  const auto file = folder.write(
      "people.json",
      coco(annotation(R"("keypoints":[1,2,2,3.5,4,1,0,0,0],"bbox":[0.5,1,10,20.5],"iscrowd":0,"area":205)", 1) + "," +
           annotation(R"("keypoints":[1,2,2,3,4,1,5,6,2],"bbox":[0,0,9,9],"iscrowd":1)", 2) + "," +
           annotation(R"("keypoints":[0,0,0,0,0,0,0,0,0],"bbox":[0,0,9,9])", 3) + "," +
           annotation(R"("bbox":[0,0,9,9],"keypoints":[])", 4) + "," +
           annotation(R"("keypoints":[9,9,2,0,0,0,19,29,2])", 5)));
  const Annotations read = read_coco(file);
  CHECK(read.joints.joints == std::vector<std::string>{"base", "left_tip", "right_tip"});
  CHECK(read.joints.limbs.size() == 2);
  REQUIRE(read.people.size() == 2);
  const Person& first = read.people[0];
  CHECK(first.image == folder / "images/a.png");
  CHECK(first.framing == Framing::box);
  CHECK(*first.box == Box{0.5, 1, 10, 20.5});
  CHECK(*person_box(first) == *first.box);
  CHECK(first.area == 205.0);
  CHECK(!read.people[1].area);
  CHECK(first.joints[0].position == Point{1, 2});
  CHECK(first.joints[0].state == JointState::visible);
  CHECK(first.joints[1].position == Point{3.5, 4});
  CHECK(first.joints[1].state == JointState::occluded);
  CHECK(first.joints[2].state == JointState::unlabelled);
  // Without a box, that of the labelled joints, somewhat larger: (9, 9) to (19, 29) about (14.5, 19.5).
  CHECK(!read.people[1].box);
  CHECK(*person_box(read.people[1]) == Box{14.5 - 5.75, 19.5 - 11.5, 11.5, 23});
}

TEST_CASE("read_coco: as CVAT, Roboflow, Label Studio and COCO itself write it") {
  const TemporaryFolder folder;
  const std::string keypoints = R"("keypoints":[1,2,2,3,4,1,5,6,2])";
  const auto read = [&](const std::string& name, const std::string& text) {
    const Annotations found = read_coco(folder.write(name, text));
    REQUIRE(found.people.size() == 1);
    CHECK(found.joints.joints.size() == 3);
    return found.people[0];
  };
  // CVAT: annotations/ beside images/, attributes, empty segmentations.
  folder.write("images/default/0001.png", "x");
  read("annotations/person_keypoints_default.json",
       R"({"licenses":[{"name":"","id":0,"url":""}],"info":{"contributor":""},)" +
           coco(annotation(keypoints + R"(,"num_keypoints":3,"segmentation":[],"area":12.0,"iscrowd":0,
                "attributes":{"occluded":false},"bbox":[1.0,2.0,4.0,4.0])"),
                R"({"id":5,"width":640,"height":480,"file_name":"default/0001.png","license":0,"flickr_url":""})")
               .substr(1));
  // Roboflow: a folder per part with the images beside the file, a category without joints first, ids from 0.
  folder.write("train/photo_png.rf.0a1b.png", "x");
  read("train/_annotations.coco.json",
       coco(annotation(keypoints + R"(,"bbox":[1,2,4,4],"area":16,"segmentation":[],"iscrowd":0)"),
            R"({"id":5,"license":1,"file_name":"photo_png.rf.0a1b.png","height":480,"width":640,"date_captured":""})",
            R"("categories":[{"id":0,"name":"arms","supercategory":"none"},{"id":1,"name":"arm","supercategory":"arms",
            "keypoints":["base","left_tip","right_tip"],"skeleton":[[1,2],[1,3]]}])"));
  // COCO: annotations/ beside a folder per part.
  folder.write("train2017/000000000009.jpg", "x");
  read("annotations/person_keypoints_train2017.json",
       coco(annotation(keypoints + R"(,"num_keypoints":3,"bbox":[1,2,4,4],"iscrowd":0)"),
            R"({"id":5,"file_name":"000000000009.jpg","coco_url":""})"));
  // Label Studio: images/ beside result.json, boxes of 0 for joints alone.
  folder.write("studio/images/9c1a-a.png", "x");
  const Person person =
      read("studio/result.json", coco(annotation(keypoints + R"(,"bbox":[0,0,0,0],"ignore":0,"iscrowd":0,"area":0)"),
                                      R"({"width":640,"height":480,"id":5,"file_name":"images/9c1a-a.png"})"));
  CHECK(!person.box);
  CHECK(!person.area);
}

TEST_CASE("read_coco: every broken entry is refused with file, entry and field") {
  const TemporaryFolder folder;
  folder.write("a.png", "x");
  const std::string good = R"("keypoints":[1,2,2,3,4,1,5,6,2])";
  const std::pair<std::string, const char*> cases[] = {
      {"[]", "expected an object with images, annotations and categories, got []"},
      {"{\"images\":[],\"annotations\":[]}", ".categories: expected a value"},
      {coco(annotation(R"("keypoints":[1,2,2])")), "annotations[0].keypoints: expected 9 numbers"},
      {coco(annotation(R"("keypoints":[1,2,2,3,4,1,5,6,"2"])")),
       "annotations[0].keypoints[8]: expected a number, got \"2\""},
      {coco(annotation(R"("keypoints":[1,2,2,3,4,1,5,null,2])")), "keypoints[7]: expected a number, got null"},
      {coco(annotation(R"("keypoints":[1,2,2,3,4,1,5,6,3])")), "expected a visibility of 0, 1 or 2, got 3"},
      {coco(annotation(R"("keypoints":[1,2,2,3,4,1,5,1e999,2])")), "a number that is too large"},
      {coco(annotation(good + R"(,"bbox":[1,2,3])")), "annotations[0].bbox: expected x, y, width and height"},
      {coco(annotation(good + R"(,"bbox":[1,2,-3,4])")), "a width and height of at least 0"},
      {coco(annotation(good + R"(,"bbox":[0,0,1e15,4])")), "bbox: expected a box within a million pixels"},
      {coco(annotation(good + R"(,"area":"12")")),
       "annotations[0].area: expected a number of square pixels, got \"12\""},
      {coco(annotation(good + R"(,"area":1e13)")), "annotations[0].area: expected a number of square pixels"},
      {coco(annotation(good + R"(,"area":[1])")), "annotations[0].area: expected a number of square pixels"},
      {coco(annotation(R"("keypoints":[1e12,2,2,3,4,1,5,6,2])")), "keypoints[0]: expected a position within a million"},
      {coco(annotation(good) + "," + annotation(good)),
       "annotations[1].id: expected every annotation once, got 1 again"},
      {coco(R"({"id":1,"image_id":6,"category_id":1,)" + good + "}"), "image_id: expected the id of an image, got 6"},
      {coco(R"({"id":1,"image_id":5,)" + good + "}"), ".category_id: expected a value"},
      {coco(annotation(good), R"({"id":5,"file_name":"a.png"},{"id":5,"file_name":"b.png"})"),
       "images[1].id: expected every image once"},
      {coco(annotation(good), R"({"id":5})"), "images[0].file_name: expected a value"},
      {coco(annotation(good), R"({"id":5,"file_name":"absent.png"})"), "absent.png: expected the images of"},
      {coco(annotation(R"("keypoints":[0,0,0,0,0,0,0,0,0])")), "at least one annotated person"},
      {coco(annotation(good), R"({"id":5,"file_name":"a.png"})", R"("categories":[{"id":1,"name":"thing"}])"),
       "categories: expected one with keypoints, got none"},
      {coco(
           annotation(good), R"({"id":5,"file_name":"a.png"})",
           R"("categories":[{"id":1,"name":"arm","keypoints":["a","b","c"]},{"id":2,"name":"leg","keypoints":["d"]}])"),
       "categories[1].keypoints: expected the joints of category arm, got others; say which category is meant"},
      {coco(annotation(good), R"({"id":5,"file_name":"a.png"})",
            R"("categories":[{"id":1,"name":"arm","keypoints":["a","b","c"],"skeleton":[[0,1]]}])"),
       "skeleton: expected pairs of joints from 1 to 3, got [0,1]"},
      {coco(annotation(good), R"({"id":5,"file_name":"a.png"})",
            R"("categories":[{"id":1,"name":"arm","keypoints":["a","b","a"]}])"),
       "joints of different names"},
  };
  for (const auto& [text, expected] : cases) {
    const auto file = folder.write("bad.json", text);
    const std::string message = refusal([&] { read_coco(file); });
    CAPTURE(message);
    CAPTURE(expected);
    CHECK(contains(message, expected));
    CHECK((contains(message, file.string()) || contains(message, folder.path().string())));
  }
  // PART chooses among categories.
  const auto two = folder.write("two.json", coco(R"({"id":1,"image_id":5,"category_id":2,"keypoints":[7,8,2]})",
                                                 R"({"id":5,"file_name":"a.png"})",
                                                 R"("categories":[{"id":1,"name":"arm","keypoints":["a","b","c"]},
                       {"id":2,"name":"leg","keypoints":["d"]}])"));
  CHECK(read_coco(two, "leg").people.size() == 1);
  CHECK(contains(refusal([&] { read_coco(two, "tail"); }), "expected \"tail\", with keypoints, got arm, leg"));
  // Depth is bounded, and no file is refused by name.
  const auto deep = folder.write("deep.json", std::string(100'000, '['));
  CHECK(contains(refusal([&] { read_coco(deep); }), "deep.json"));
  CHECK(contains(refusal([&] { read_coco(folder / "none.json"); }), "none.json: cannot be opened"));
}

TEST_CASE("read_coco: images are looked for in one order, whatever came before") {
  const TemporaryFolder folder;
  for (const char* name : {"set/images/a.png", "set/images/c.png", "images/b.png", "images/c.png"})
    folder.write(name, "x");
  const auto read = [&](const std::string& images) {
    const auto file = folder.write(
        "set/p.json", coco(R"({"id":1,"image_id":7,"category_id":1,"keypoints":[1,2,2,3,4,1,5,6,2]})", images));
    return read_coco(file).people.at(0).image;
  };
  const std::string c = R"({"id":7,"file_name":"c.png"})";
  CHECK(read(c) == folder / "set/images/c.png");
  CHECK(read(R"({"id":6,"file_name":"b.png"},)" + c) == folder / "set/images/c.png");
}

TEST_CASE("DataSetKinds: a folder of images is refused where the kind finds them by itself") {
  const TemporaryFolder folder;
  const DataSetKinds kinds;
  for (const char* kind : {"lsp", "lspet", "yolo"}) {
    const std::string message = refusal<UsageError>(
        [&] { kinds.read({kind, folder.path(), ""}, {.images = folder.path(), .allow_missing = false}); });
    CHECK(
        contains(message, "--images: expected data of a kind whose images may lie anywhere: coco, csv, mpii, labelme"));
    CHECK(contains(message, std::string("got ") + kind + ":"));
  }
}

TEST_CASE("read_coco: what is left out is counted by reason, and its place kept where it is a fault") {
  const TemporaryFolder folder;
  folder.write("a.png", "x");
  const std::string good = R"("keypoints":[1,2,2,3,4,1,5,6,2])";
  const std::string categories =
      R"("categories":[{"id":1,"name":"arm","keypoints":["base","left_tip","right_tip"]},{"id":2,"name":"car"}])";
  const auto of = [](int category) {
    return R"({"image_id":5,"bbox":[0,0,9,9],"category_id":)" + std::to_string(category) + "}";
  };
  const auto file = folder.write(
      "p.json", coco(annotation(good, 1) + "," + annotation(good + R"(,"bbox":[3,4,0,5])", 2) + "," +
                         annotation(good + R"(,"bbox":[0,0,0,0])", 3) + "," + annotation(good + R"(,"iscrowd":1)", 4) +
                         "," + annotation(R"("keypoints":null)", 5) + "," + annotation(R"("keypoints":[])", 6) + "," +
                         annotation(R"("bbox":[0,0,9,9])", 7) + "," +
                         annotation(R"("keypoints":[0,0,0,0,0,0,0,0,0])", 8) + "," + of(2) + "," + of(7) + "," + of(7),
                     R"({"id":5,"file_name":"a.png"})", categories));
  const Annotations read = read_coco(file);
  CHECK(read.people.size() == 3);
  std::map<std::string, std::pair<std::size_t, std::vector<std::string>>> left_out;
  for (const LeftOut& each : read.left_out) left_out[each.what] = {each.count, each.places};
  const auto at = [&](const std::string& entry) { return file.string() + ": annotations" + entry; };
  const auto one = [](std::size_t count) { return std::pair{count, std::vector<std::string>{}}; };
  CHECK(left_out["boxes of no area"] == std::pair{std::size_t{2}, std::vector{at("[1].bbox")}});
  CHECK(left_out["crowds"] == one(1));
  CHECK(left_out["annotations whose keypoints are null"] ==
        std::pair{std::size_t{1}, std::vector{at("[4].keypoints")}});
  CHECK(left_out["annotations without keypoints"] == one(2));
  CHECK(left_out["people without a labelled joint"] == one(1));
  CHECK(left_out["annotations of other categories"] == one(1));
  CHECK(left_out["annotations of categories that are not listed"] ==
        std::pair{std::size_t{2}, std::vector{at("[9].category_id"), at("[10].category_id")}});
  CHECK(left_out.size() == 7);
}

TEST_CASE("read_coco: people whose image is absent are counted, or kept where that is allowed") {
  const TemporaryFolder folder;
  folder.write("here/a.png", "x");
  const std::string images = R"({"id":5,"file_name":"a.png"},{"id":6,"file_name":"b.png"})";
  const std::string second = R"({"id":2,"image_id":6,"category_id":1,"keypoints":[1,2,2,3,4,1,5,6,2]})";
  const auto file =
      folder.write("p.json", coco(annotation(R"("keypoints":[1,2,2,3,4,1,5,6,2])") + "," + second, images));
  const std::string message = refusal([&] { read_coco(file, "", {.images = folder / "here"}); });
  CHECK(contains(message, "b.png: expected the images of"));
  CHECK(contains(message, "1 of 2 people without theirs"));
  CHECK(contains(message, "(--allow-missing)"));
  const auto kept = read_coco(file, "", {.images = folder / "here", .allow_missing = true}).people;
  REQUIRE(kept.size() == 2);
  CHECK(kept[1].image == folder / "here/b.png");
  const auto absent = absent_images(kept);
  REQUIRE(absent.size() == 1);
  CHECK(absent[0].image == kept[1].image);
  CHECK(absent[0].people == 1);
  // All absent: a wrong folder, whatever is allowed.
  const std::string none = refusal([&] { read_coco(file, "", {.images = folder / "nowhere", .allow_missing = true}); });
  CHECK(contains(none, "2 of 2 people without theirs, this one first; say where the images are (--images DIR)"));
  CHECK(!contains(none, "allow"));
}

TEST_CASE("read_coco, read_csv: an image of another case or ending is named where one is absent") {
  const TemporaryFolder folder;
  folder.write("B.JPG", "x");
  folder.write("images/c.jpg", "x");
  folder.write("images/c.txt", "x");
  const std::string keypoints = R"("keypoints":[1,2,2,3,4,1,5,6,2])";
  for (const auto& [name, there] : {std::pair{"b.jpg", "B.JPG"}, {"B.jpg", "B.JPG"}, {"c.png", "images/c.jpg"}}) {
    CAPTURE(name);
    const std::string wanted =
        (folder / there).string() + " is there, " + name + " in another case or with another ending";
    const auto json =
        folder.write("p.json", coco(annotation(keypoints), std::string(R"({"id":5,"file_name":")") + name + "\"}"));
    CHECK(contains(refusal([&] { read_coco(json); }), wanted));
    const auto table = folder.write("p.csv", std::string("image,tip_x,tip_y\n") + name + ",1,2\n");
    CHECK(contains(refusal([&] { read_csv(table); }), wanted));
  }
  const auto table = folder.write("p.csv", "image,tip_x,tip_y\nd.png,1,2\n");
  CHECK(contains(refusal([&] { read_csv(table); }), "say where the images are"));
  const auto second = folder.write("p.csv", "image,tip_x,tip_y\nd.png,1,2\nc.jpeg,1,2\n");
  CHECK(contains(refusal([&] { read_csv(second); }), "images/c.jpg is there, c.jpeg in another case"));
}

TEST_CASE("read_csv: a row per person, as spreadsheets write it; empty positions are unlabelled") {
  const TemporaryFolder folder;
  folder.write("a b.png", "x");
  folder.write("c,d.png", "x");
  const auto file = folder.write("p.csv",
                                 "\xEF\xBB\xBFimage,left_tip_x,left_tip_y,left_tip_v,right_tip_x,right_tip_y,box_x,"
                                 "box_y,box_width,box_height\r\n"
                                 "a b.png,1.5,2,2,,,0,0,10,20\r\n"
                                 "\"c,d.png\", 3 ,4,1,5,6,,,,\r\n"
                                 "\r\n"
                                 "a b.png,7,8,0,,,0,0,10,20\r\n"
                                 "a b.png,7,8,0,9,10,1,1,2,3");
  const Annotations read = read_csv(file);
  CHECK(read.joints.name == "p");
  CHECK(read.joints.joints == std::vector<std::string>{"left_tip", "right_tip"});
  CHECK(read.joints.pairs.size() == 1);
  REQUIRE(read.people.size() == 3);  // the fourth row has no labelled joint
  CHECK(read.people[0].image == folder / "a b.png");
  CHECK(read.people[0].joints[0].position == Point{1.5, 2});
  CHECK(!read.people[0].joints[1].is_labelled());
  CHECK(*read.people[0].box == Box{0, 0, 10, 20});
  CHECK(read.people[1].image == read.people[0].image);  // people of one image stand together
  CHECK(read.people[1].joints[1].position == Point{9, 10});
  CHECK(read.people[2].image == folder / "c,d.png");
  CHECK(read.people[2].joints[0].state == JointState::occluded);
  CHECK(!read.people[2].box);
}

TEST_CASE("read_csv: lengths of heads and areas, where they are known") {
  const TemporaryFolder folder;
  folder.write("a.png", "x");
  const Annotations read = read_csv(folder.write("p.csv",
                                                 "image,a_x,a_y,area,head_length\n"
                                                 "a.png,1,2,3500000.5,40\na.png,1,2,,\n"));
  REQUIRE(read.people.size() == 2);
  CHECK(read.joints.joints.size() == 1);
  CHECK(read.people[0].area == 3500000.5);
  CHECK(read.people[0].head_length == 40.0);
  CHECK(!read.people[1].area);
  CHECK(!read.people[1].head_length);
}

TEST_CASE("read_csv: what csv_format writes comes back as people, whatever their scores") {
  const TemporaryFolder folder;
  JointSet arm;
  arm.joints = {"elbow", "wrist"};
  folder.write("a, \"b\".png", "x");
  const ImagePoses image{
      "a, \"b\".png",
      90,
      80,
      0,
      {{{0.5, -2, 30, 1e-7}, {{{1.25, 1.0 / 3}, 0}, {}}}, {{1, 2, 3, 4}, {{{5, 6}, 1}, {{7, 8}, 0.5}}}}};
  const Annotations read = read_csv(folder.write("poses.csv", write_poses(csv_format, image, arm)));
  CHECK(read.joints.joints == arm.joints);
  REQUIRE(read.people.size() == 2);
  CHECK(read.people[0].image == folder / image.image);
  CHECK(*read.people[0].box == image.poses[0].box);
  CHECK(read.people[0].joints[0].position == Point{1.25, 341.0 / 1024});
  CHECK(read.people[0].joints[0].is_labelled());
  CHECK(!read.people[0].joints[1].is_labelled());
  CHECK(read.people[1].joints[1].position == Point{7, 8});
}

TEST_CASE("read_csv: what is wrong is said with line and column") {
  const TemporaryFolder folder;
  folder.write("a.png", "x");
  const std::pair<std::string, const char*> cases[] = {
      {"", "expected a line of column names, got an empty file"},
      {"file,a_x,a_y\n", "line 1: expected the columns image, NAME_x, NAME_y"},
      {"image\n", "got no joints"},
      {"image,a_x\n", "line 1: expected a column \"a_y\" beside its _x, got none"},
      {"image,a_x,a_y,b\n", "got \"b\""},
      {"image,a_x,a_x\n", "line 1: expected every column once, got \"a_x\" twice"},
      {"image,a_x,a_y,box_x,box_y\n", "box_x, box_y, box_width and box_height, or none of them, got 2 of them"},
      {"image,a_x,a_y\na.png,1\n", "line 2: expected 3 fields, as the first line has, got 2"},
      {"image,a_x,a_y\n\na.png,1,zwei\n", "line 3: a_y: expected a number within a million, or nothing, got \"zwei\""},
      {"image,a_x,a_y\na.png,1,1e999\n", "line 2: a_y: expected a number"},
      {"image,a_x,a_y\na.png,1,nan\n", "line 2: a_y: expected a number"},
      {"image,a_x,a_y\na.png,1,\n", "line 2: a: expected both x and y, or neither"},
      {"image,a_x,a_y,a_v\na.png,1,2,3\n", "line 2: a_v: expected 0, 1 or 2, got 3"},
      {"image,h\xFC"
       "fte_x,h\xFC"
       "fte_y\na.png,1,2\n",
       "line 1: expected text in UTF-8"},
      {"image,a_x,a_y\n,1,2\n", "line 2: image: expected a file's name, got none"},
      {"image,a_x,a_y\n\"a.png,1,2\n", "expected a quote at the end of a quoted field"},
      {"image,a_x,a_y\n\"a.png\"x,1,2\n", "expected a comma behind a quoted field, got x"},
      {"image,a_x,a_y,box_x,box_y,box_width,box_height\na.png,1,2,0,0,0,4\n",
       "line 2: box: expected x, y, and a width"},
      {"image,a_x,a_y,area\na.png,1,2,0\n", "line 2: area: expected a number above 0, or nothing, got 0"},
      {"image,a_x,a_y,area\na.png,1,2,1e13\n", "line 2: area: expected a number within a million million"},
      {"image,a_x,a_y,head_length\na.png,1,2,-3\n", "line 2: head_length: expected a number above 0"},
      {"image,a_x,a_y,head_length\na.png,1,2,1e7\n", "line 2: head_length: expected a number within a million, or"},
      {"image,a_x,a_y,head_length\na.png,1,2,x\n", "line 2: head_length: expected a number within"},
      {"image,a_x,a_y\nb.png,1,2\n", "b.png: expected the images of"},
      {"image,a_x,a_y\na.png,,\n", "at least one annotated person"},
  };
  for (const auto& [text, expected] : cases) {
    const auto file = folder.write("bad.csv", text);
    const std::string message = refusal([&] { read_csv(file); });
    CAPTURE(message);
    CHECK(contains(message, expected));
  }
}

TEST_CASE("DataSetKinds: KIND:PATH[:PART] with colons in names, and kinds of a user's own") {
  const TemporaryFolder folder;
  const DataSetKinds kinds;
  folder.write("d/joints.mat", "x");
  folder.write("odd:name.csv", "x");
  const std::string dir = (folder / "d").string();
  CHECK(kinds.parse("lsp:" + dir).path == dir);
  CHECK(kinds.parse("lsp:" + dir + ":1:900").part == "1:900");
  CHECK(kinds.parse("lsp:" + dir + ":val").part == "val");
  CHECK(kinds.parse("csv:" + (folder / "odd:name.csv").string()).path == folder / "odd:name.csv");
  CHECK(to_string(kinds.parse("lsp:" + dir + ":val")) == "lsp:" + dir + ":val");
  CHECK(contains(refusal([&] { static_cast<void>(kinds.parse("csv:" + (folder / "odd:name.csv").string() + ":x")); }),
                 "got the part \"x\" of it"));
  CHECK(contains(refusal([&] { static_cast<void>(kinds.parse("cocco:x")); }), "did you mean \"coco\"?"));
  CHECK(contains(refusal([&] { static_cast<void>(kinds.parse("coco")); }), "expected one of lsp:DIR[:PART]"));
  CHECK(contains(refusal([&] { static_cast<void>(kinds.parse("coco:")); }), "expected one of"));
  CHECK(contains(refusal([&] { kinds.read(kinds.parse("coco:/nowhere/p.json")); }), "got no such file or folder"));
  const DataSetKind dots{.name = "dots",
                         .path = "DIR",
                         .parts = "",
                         .does = "one dot per picture",
                         .read = [](const DataSource& source, const DataSetOptions&) {
                           Annotations read{joint_set_from_names("dots", {"dot"}), {}};
                           read.people.push_back({source.path / "1.png", "dots", 1, {{{1, 2}, JointState::visible}}});
                           return read;
                         }};
  const DataSetKinds more{dots};
  CHECK(more.read(more.parse("dots:" + dir)).people.size() == 1);
  CHECK(more.joints({"lsp", "/nowhere", ""}).joints.size() == 14);  // said by the kind
  CHECK_THROWS_AS((DataSetKinds{dots, dots}), UsageError);
  CHECK_THROWS_AS(DataSetKinds{DataSetKind{.name = "empty"}}, UsageError);
}

TEST_CASE("people_with_joints: joints are found by their names, absent ones are unlabelled") {
  Annotations annotations{joint_set_from_names("three", {"a", "b", "c"}), {}};
  Person person{"x.png", "csv", 1, {}, Framing::box};
  for (int j = 0; j < 3; ++j) person.joints.push_back({{double(j), 0}, JointState::visible});
  annotations.people = {person};
  const auto changed = people_with_joints(annotations, joint_set_from_names("other", {"c", "d", "a"}), "data");
  CHECK(changed[0].joints[0].position.x == 2);
  CHECK(!changed[0].joints[1].is_labelled());
  CHECK(changed[0].joints[2].position.x == 0);
  CHECK(contains(refusal([&] { people_with_joints(annotations, joint_set_from_names("none", {"x"}), "data"); }),
                 "data: expected joints of the set none, such as x, got a and 2 others"));
}

TEST_CASE("split_people: a share of the images, the same ones every time, and nobody on both sides") {
  std::vector<Person> people;
  for (int i = 0; i < 60; ++i) people.push_back({"image" + std::to_string(i / 2), "csv", i / 2 + 1, {}, Framing::box});
  for (const double share : {0.0, 0.001, 0.1, 0.5, 0.999}) {
    const PeopleSplit split = split_people(people, share);
    CHECK(split.train.size() + split.validation.size() == 60);
    CHECK(split.train.size() >= 2);
    const std::size_t expected = share == 0    ? 0
                                 : share < 0.1 ? 1
                                 : share < 0.9 ? static_cast<std::size_t>(share * 30)
                                               : 29;
    CHECK(split.validation.size() == 2 * expected);
    std::set<std::filesystem::path> seen;
    for (const Person& person : split.validation) seen.insert(person.image);
    for (const Person& person : split.train) CHECK(!seen.contains(person.image));
    const PeopleSplit again = split_people(people, share);
    REQUIRE(again.validation.size() == split.validation.size());
    for (std::size_t i = 0; i < split.validation.size(); ++i)
      CHECK(again.validation[i].number == split.validation[i].number);
  }
  // Where the images lie does not matter.
  std::vector<Person> moved = people;
  for (Person& person : moved) person.image = std::filesystem::path(person.number % 2 ? "/b" : "/a") / person.image;
  const PeopleSplit before = split_people(people, 0.2);
  const PeopleSplit after = split_people(moved, 0.2);
  REQUIRE(before.validation.size() == after.validation.size());
  for (std::size_t i = 0; i < after.validation.size(); ++i) {
    CHECK(before.validation[i].number == after.validation[i].number);
  }
  CHECK(split_people({people[0]}, 0.5).validation.empty());
  CHECK(split_people({people[0], people[1]}, 0.5).train.size() == 2);  // one image
}

}  // namespace data_sets_test
