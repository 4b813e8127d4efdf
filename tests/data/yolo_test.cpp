// Ultralytics' pose data: as its own files and Roboflow's have it, and what is refused.
#include "refusal.hpp"
#include "temporary_folder.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/data_sets.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/sets/yolo.hpp>
#include <posemachine/pose/joint_names.hpp>
#include <posemachine/pose/joint_set.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace yolo_test {

using namespace posemachine;
using test_environment::contains;
using test_environment::refusal;
using test_environment::TemporaryFolder;

namespace {

std::string picture(int width, int height) { return encode_png(Image(width, height)); }

// Three joints, the last two a pair.
const std::string arm = "names: {0: arm}\nkpt_shape: [3, 3]\nflip_idx: [0, 2, 1]\n";
const std::string arm_line = "0 0.5 0.5 0.4 0.5 0.25 0.5 2 0.1 0.2 1 0 0 0\n";

// An image of 200 x 100 in images/train with a file of labels.
void write_arm(const TemporaryFolder& folder, const std::string& labels = arm_line) {
  folder.write("images/train/a.png", picture(200, 100));
  folder.write("labels/train/a.txt", labels);
}

}  // namespace

TEST_CASE("read_yolo: as Ultralytics has it, 17 joints without names are COCO's, shares become pixels") {
  const TemporaryFolder folder;
  const auto file = folder.write("coco8-pose.yaml", R"(# Dataset root
path: coco8-pose # dataset root dir
train: images/train # train images (relative to 'path')
val: images/val
test: # test images (optional)

# Keypoints
kpt_shape: [17, 3] # number of keypoints, number of dims
flip_idx: [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]

# Classes
names:
  0: person
)");
  std::string line = "0 0.5 0.4 0.6 0.5";
  for (int j = 0; j < 17; ++j) line += j == 3 ? " 0.000000 0.000000 0.000000" : " 0.250000 0.750000 2.000000";
  folder.write("coco8-pose/images/train/000000000009.png", picture(200, 100));
  folder.write("coco8-pose/labels/train/000000000009.txt", line + "\n" + line + "\n");  // twice: once
  folder.write("coco8-pose/images/train/000000000025.png", picture(20, 10));            // nobody
  folder.write("coco8-pose/images/val/000000000036.png", picture(20, 10));
  folder.write("coco8-pose/labels/val/000000000036.txt", line + "\n");
  const Annotations read = read_yolo(file);
  CHECK(read.joints.name == "person");
  CHECK(read.joints.joints[16] == "right_ankle");
  CHECK(read.joints.pairs.size() == 8);
  CHECK(read.joints.torso == std::array{5, 12});
  CHECK(read.joints.limbs.size() == 19);
  REQUIRE(read.people.size() == 1);
  const Person& person = read.people[0];
  CHECK(person.image == folder / "coco8-pose/images/train/000000000009.png");
  CHECK(person.framing == Framing::box);
  CHECK(person.joints[0].position == Point{49.5, 74.5});  // a quarter of 200 less half a pixel
  CHECK(person.joints[0].state == JointState::visible);
  CHECK(!person.joints[3].is_labelled());
  REQUIRE(person.box);
  CHECK(person.box->x == doctest::Approx(40));
  CHECK(person.box->y == doctest::Approx(15));
  CHECK(person.box->width == doctest::Approx(120));
  CHECK(person.box->height == doctest::Approx(50));
  CHECK(read_yolo(file, "val").people.size() == 1);
  CHECK(contains(refusal([&] { read_yolo(file, "test"); }), "coco8-pose.yaml: test: expected a folder of images"));
  CHECK(contains(refusal([&] { read_yolo(file, "tset"); }), "expected the part train, val or test, got \"tset\""));
  const DataSetKinds kinds;
  CHECK(kinds.read(kinds.parse("yolo:" + file.string() + ":val")).people[0].number == 1);
}

TEST_CASE("read_yolo: as Roboflow exports it, ../train/images beside the file, two values per joint") {
  const TemporaryFolder folder;
  const auto file = folder.write("data.yaml", R"(train: ../train/images
val: ../valid/images
test: ../test/images

kpt_shape: [3, 2]
flip_idx: [0, 2, 1]

nc: 1
names: ['arm']

roboflow:
  workspace: somebody
  version: 1
)");
  folder.write("train/images/a_png.rf.0a1b.png", picture(40, 80));
  folder.write("train/labels/a_png.rf.0a1b.txt", "0 0.5 0.5 1 1 0.5 0.5 0 0 -0.001 1.0\r\n\r\n");
  const Annotations read = read_yolo(file);
  CHECK(read.joints.joints == std::vector<std::string>{"joint_1", "joint_2", "joint_3"});
  CHECK(read.joints.pairs == std::vector<std::pair<int, int>>{{1, 2}});
  CHECK(read.joints.groups == std::vector<JointGroup>{{"joint_1", {0}}, {"joint_2, joint_3", {1, 2}}});
  CHECK(!has_torso(read.joints));
  REQUIRE(read.people.size() == 1);
  CHECK(read.people[0].joints[0].position == Point{19.5, 39.5});
  CHECK(!read.people[0].joints[1].is_labelled());
  CHECK(read.people[0].joints[2].state == JointState::visible);
  CHECK(*read.people[0].box == Box{0, 0, 40, 80});
}

TEST_CASE("read_yolo: names of joints, several classes, lists of images and of folders, a root elsewhere") {
  const TemporaryFolder folder;
  write_arm(folder, "1 0.5 0.5 0.4 0.5 0.25 0.5 2 0.1 0.2 1 0 0 0\n" + arm_line);
  folder.write("more/deep/b.png", picture(10, 10));  // no images/ in its path: labels beside it
  folder.write("more/deep/b.txt", arm_line);
  folder.write("more/deep/.hidden.png", "x");
  folder.write("lists/train.txt", "./../images/train/a.png\n\n  more/deep/b.png\r\n");
  const std::string names = "kpt_names:\n  0: &names [base, left_tip, right_tip]\n  1: *names\n";
  const std::string head = "path: " + folder.path().string() + "\nnames: [arm, other]\nkpt_shape: [3, 3]\n" + names;
  const Annotations read = read_yolo(folder.write("elsewhere/d.yaml", head + "train: lists/train.txt\n"));
  CHECK(read.joints.joints == std::vector<std::string>{"base", "left_tip", "right_tip"});
  CHECK(read.joints.pairs == std::vector<std::pair<int, int>>{{1, 2}});
  CHECK(read.joints.name == "d");
  REQUIRE(read.people.size() == 3);
  CHECK(read.people[1].number == 1);
  CHECK(read.people[1].joints[1].state == JointState::occluded);
  CHECK(read.people[2].image == folder / "more/deep/b.png");
  const Annotations folders =
      read_yolo(folder.write("elsewhere/e.yaml", head + "flip_idx: [0, 2, 1]\ntrain: [images/train, more]\n"));
  CHECK(folders.people.size() == 3);
  // A root of another machine: the folder of the file is one, too.
  CHECK(read_yolo(folder.write("moved.yaml", arm + "path: /nowhere/at/all\ntrain: more\n")).people.size() == 1);
}

TEST_CASE(
    "write_yolo: read back it is the same within rounding; names that clash get a number; images stay where they are") {
  const TemporaryFolder folder;
  Annotations written;
  written.joints = joint_set_from_names("ro\"bot: arm", {"base", "left tip", "right tip"});
  for (const char* name : {"a/x.png", "b/x.png", "b/x.PNG", "y.png"}) {
    folder.write(name, picture(name[0] == 'a' ? 641 : 37, 53));
    for (const double offset : {0.0, 3.25}) {
      Person person{folder / name, "made", 1, {}, Framing::box};
      person.joints = {
          {{1.0 / 3 + offset, 52.49}, JointState::visible}, {{7.123456789, offset}, JointState::occluded}, Joint{}};
      person.box = Box{offset, 1.0 / 7, 29.5, 40};
      written.people.push_back(person);
    }
  }
  written.people.back().joints[0].position = {36.6, 10};  // beyond the image
  written.people.back().box = Box{-4, -5, 100, 20};
  write_yolo(written, folder / "out");
  const Annotations read = read_yolo(folder / "out/data.yaml");
  CHECK(read.joints.name == written.joints.name);
  CHECK(read.joints.joints == written.joints.joints);
  CHECK(read.joints.pairs == written.joints.pairs);
  REQUIRE(read.people.size() == 8);
  CHECK(read.left_out.empty());
  std::map<std::filesystem::path, std::vector<const Person*>> by_image;
  for (const Person& person : read.people) {
    by_image[std::filesystem::canonical(person.image)].push_back(&person);
  }
  CHECK(by_image.size() == 4);
  const auto near = [](double a, double b) { return std::abs(a - b) < 1e-10; };
  std::map<std::filesystem::path, std::size_t> seen;
  for (const Person& wanted : written.people) {
    const Person& got = *by_image.at(std::filesystem::canonical(wanted.image)).at(seen[wanted.image]++);
    const bool last = &wanted == &written.people.back();
    for (std::size_t j = last ? 1 : 0; j < 3; ++j) {
      CHECK(got.joints[j].state == wanted.joints[j].state);
      if (!wanted.joints[j].is_labelled()) continue;
      CHECK(near(got.joints[j].position.x, wanted.joints[j].position.x));
      CHECK(near(got.joints[j].position.y, wanted.joints[j].position.y));
    }
    const Box box = last ? Box{0, 0, 37, 15} : *wanted.box;
    CHECK(near(got.box->x, box.x));
    CHECK(near(got.box->y, box.y));
    CHECK(near(got.box->width, box.width));
    CHECK(near(got.box->height, box.height));
    if (last) CHECK(!got.joints[0].is_labelled());
  }
  CHECK(contains(refusal<UsageError>([&] { write_yolo(written, folder / "out/other.yaml"); }), "images/train"));
  // Without a box and joints for one; an image without a size.
  written.people.resize(1);
  written.people[0].box.reset();
  written.people[0].joints[1] = Joint{};
  write_yolo(written, folder / "alone/arm.yaml");
  const Annotations alone = read_yolo(folder / "alone/arm.yaml");
  CHECK(!alone.people.at(0).box);
  CHECK(alone.left_out.at(0).places.empty());
  folder.write("a/x.png", "no picture");
  CHECK(contains(refusal<DataError>([&] { write_yolo(written, folder / "none"); }), "x.png: expected a JPEG or PNG"));
}

TEST_CASE("read_yolo: lines that stand twice, boxes of no area and people without a joint are counted") {
  const TemporaryFolder folder;
  write_arm(folder,
            arm_line + arm_line + "0 0.5 0.5 0 0.5 0.25 0.5 2 0.1 0.2 1 0 0 0\n0 0.5 0.5 0.4 0.5 0 0 0 0 0 0 0 0 0\n");
  const Annotations read = read_yolo(folder.write("d.yaml", arm + "train: images/train\n"));
  CHECK(read.people.size() == 2);
  REQUIRE(read.left_out.size() == 3);
  const std::string labels = (folder / "labels/train/a.txt").string();
  CHECK(read.left_out[0].what == "lines that stand there twice");
  CHECK(read.left_out[0].places == std::vector<std::string>{labels + ", line 2"});
  CHECK(read.left_out[1].what == "boxes of no area");
  CHECK(read.left_out[1].places == std::vector<std::string>{labels + ", line 3: box"});
  CHECK(read.left_out[2].what == "people without a labelled joint");
  CHECK(read.left_out[2].places.empty());
}

TEST_CASE("read_yolo: absent photographs are counted, damaged ones keep their people without a joint") {
  const TemporaryFolder folder;
  write_arm(folder);
  folder.write("images/train/b.png", "\x89PNG\r\n\x1a\n, cut");
  folder.write("labels/train/b.txt", arm_line);
  const auto file = folder.write("d.yaml", arm + "train: images/train\nval: list.txt\n");
  const Annotations read = read_yolo(file);
  REQUIRE(read.people.size() == 2);
  CHECK(read.people[1].image == folder / "images/train/b.png");
  CHECK(!read.people[1].joints[0].is_labelled());
  CHECK(!read.people[1].box);
  folder.write("list.txt", "images/train/a.png\nimages/train/c.png\n");
  folder.write("labels/train/c.txt", arm_line);
  CHECK(contains(refusal<DataError>([&] { read_yolo(file, "val"); }), "1 of 2 people without theirs"));
  const Annotations kept = read_yolo(file, "val", {.allow_missing = true});
  REQUIRE(kept.people.size() == 2);
  CHECK(!kept.people[1].joints[0].is_labelled());
}

TEST_CASE("read_yolo: what a YAML file lacks or has wrong is said with file and key") {
  const TemporaryFolder folder;
  write_arm(folder);
  const std::string train = "train: images/train\n";
  const std::pair<std::string, const char*> cases[] = {
      {"", "expected a mapping with kpt_shape, names, train and val, got null"},
      {"[1, 2]", "expected a mapping"},
      {"names: [a]\n" + train, "d.yaml.kpt_shape: expected a value, got nothing"},
      {"names: [a]\nkpt_shape: null\n", "d.yaml.kpt_shape: expected an array, got null"},
      {"names: [a]\nkpt_shape: [3, 4]\n", "kpt_shape: expected [joints, 2 or 3]"},
      {"names: [a]\nkpt_shape: [\"3\", 3]\n", "kpt_shape: expected [joints, 2 or 3]"},
      {"names: [a]\nkpt_shape: [3]\n", "kpt_shape: expected [joints, 2 or 3]"},
      {"names: [a]\nkpt_shape: [1000000, 3]\n", "with 1 to 1024 joints, got [1000000,3]"},
      {"names: [a]\nkpt_shape: [1e999, 3]\n", "a number that is too large (line 2)"},
      {"kpt_shape: [3, 3]\n", "names: expected names of classes, got nothing"},
      {"names: []\nkpt_shape: [3, 3]\n", "names: expected names of classes, got []"},
      {"names: [a, b]\nnc: 3\nkpt_shape: [3, 3]\n", "nc: expected 2, as there are names, got 3"},
      {"names: {5: a}\nkpt_shape: [3, 3]\n", "names: expected classes from 0 to 0, got \"5\""},
      {"names: [a]\nkpt_shape: [3, 3]\n" + train, "flip_idx: expected the joint that each one is when"},
      {"names: [a]\nkpt_shape: [3, 3]\nflip_idx: [0, 1]\n", "flip_idx: expected 3 joints from 0 to 2"},
      {"names: [a]\nkpt_shape: [3, 3]\nflip_idx: [1, 2, 0]\n", "mirroring twice changes nothing, got [1,2,0]"},
      {"names: [a]\nkpt_shape: [3, 3]\nflip_idx: [0, 3, 1]\n", "flip_idx: expected 3 joints from 0 to 2"},
      {"names: [a]\nkpt_shape: [3, 3]\nflip_idx: [0, -1, 1]\n", "flip_idx: expected 3 joints from 0 to 2"},
      {arm + "kpt_names: {0: [a, b]}\n", "kpt_names.0: expected 3 names"},
      {arm + "kpt_names: {1: [a, b, c]}\n", "kpt_names: expected classes from 0 to 0"},
      {arm + "kpt_names: {0: [a, b, 3]}\n", "kpt_names.0: expected names, got 3"},
      {arm + "kpt_names: {0: [a, b, a]}\n", "kpt_names: joint set arm: expected joints of different names"},
      {arm + "kpt_names: {0: [left_a, right_a, b]}\n", "flip_idx: expected [1,0,2], as the names in kpt_names say"},
      {"names: [a, b]\nkpt_shape: [1, 3]\nkpt_names: {0: [x], 1: [y]}\n",
       "kpt_names.1: expected the joints of the other classes"},
      {arm, "d.yaml: train: expected a folder of images, a .txt list of images, or a list of those, got nothing"},
      {arm + "train: [images/train, 3]\n", "train[1]: expected a folder or a .txt list, got 3"},
      {arm + "train: images/tain\n", "got \"images/tain\", which is not there; looked for in "},
      {arm + "train: images/train/a.png\n", "train: expected a folder of images or a .txt list of images"},
      {arm + "train: labels\n", "train: expected images (.jpg, .jpeg, .png), got none"},
      {"path: 3\n" + arm + train, "d.yaml.path: expected a string"},
  };
  for (const auto& [text, expected] : cases) {
    const auto file = folder.write("d.yaml", text);
    const std::string message = refusal<DataError>([&] { read_yolo(file); });
    CAPTURE(message);
    CHECK(contains(message, expected));
    CHECK(contains(message, "d.yaml"));
  }
  std::filesystem::remove_all(folder / "labels");
  const auto file = folder.write("d.yaml", arm + train);
  CHECK(contains(refusal<DataError>([&] { read_yolo(file); }), "labels/train/a.txt for one, got none for 1 images"));
  std::filesystem::create_directory_symlink(folder / "images", folder / "images/train/circle");
  CHECK(contains(refusal<DataError>([&] { read_yolo(file); }), "at most 16 folders within each other"));
}

TEST_CASE("read_yolo: what a line of labels has wrong is said with file, line and field") {
  const TemporaryFolder folder;
  write_arm(folder);
  const auto file = folder.write("d.yaml", arm + "train: images/train\n");
  const std::pair<const char*, const char*> cases[] = {
      {"0 0.5 0.5 0.4 0.5", "expected 14 numbers: class, box and 3 joints of 3, got 5"},
      {"0 0.5 0.5 0.4 0.5 0.25 0.5 2 0.1 0.2 1 0 0 0 7", "of 3, got more"},
      {"1 0.5 0.5 0.4 0.5 0.25 0.5 2 0.1 0.2 1 0 0 0", "class: expected 0 to 0, got 1"},
      {"-1 0.5 0.5 0.4 0.5 0.25 0.5 2 0.1 0.2 1 0 0 0", "class: expected 0 to 0, got -1"},
      {"0.5 0.5 0.5 0.4 0.5 0.25 0.5 2 0.1 0.2 1 0 0 0", "class: expected 0 to 0, got 0.5"},
      {"0 0.5 0.5 0.4 0.5 25 0.5 2 0.1 0.2 1 0 0 0", "joint_1: expected a share of the image's width or height"},
      {"0 0.5 0.5 -4 0.5 0.25 0.5 2 0.1 0.2 1 0 0 0", "box: expected a share"},
      {"0 0.5 0.5 0.4 0.5 0.25 0.5 3 0.1 0.2 1 0 0 0", "visibility of joint_1: expected 0, 1 or 2, got 3"},
      {"0 0.5 0.5 0.4 0.5 0.25 0.5 2 0.1 1e999 1 0 0 0", "value 10: expected a number, got \"1e999\""},
      {"0 0.5 0.5 0.4 0.5 0.25 0.5 2 0.1 nan 1 0 0 0", "value 10: expected a number, got \"nan\""},
      {"0 0.5 0.5 0.4 0.5 0.25 0.5 2 \"0.1\" 0.2 1 0 0 0", "value 9: expected a number"},
  };
  for (const auto& [line, expected] : cases) {
    const auto labels = folder.write("labels/train/a.txt", arm_line + "\n" + line);
    const std::string message = refusal<DataError>([&] { read_yolo(file); });
    CAPTURE(message);
    CHECK(contains(message, labels.string() + ", line 3"));
    CHECK(contains(message, expected));
  }
  folder.write("labels/train/a.txt", "0 0.5 0.5 0.4 0.5 0 0 0 0 0 0 0 0 0");
  CHECK(contains(refusal<DataError>([&] { read_yolo(file); }), "at least one annotated person"));
}

}  // namespace yolo_test
