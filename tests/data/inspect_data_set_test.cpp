// What is found in data sets with one thing wrong in each, the figures of a small one, and formats there and back.
#include "temporary_folder.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/data_sets.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/inspect_data_set.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/pose/joint_names.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace inspect_data_set_test {

using namespace posemachine;
using test_environment::TemporaryFolder;

namespace {

// Thirty people who face us, their left at our right: three pairs of joints, all inside 80 x 60 pixels.
class Crowd {
 public:
  Crowd() {
    annotations.joints = joint_set_from_names(
        "crowd", {"left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle", "nose"});
    std::filesystem::create_directories(folder / "images");
    for (int i = 0; i < 30; ++i) {
      Image image(80, 60);
      image.pixels[0] = static_cast<std::uint8_t>(i);
      Person person;
      person.image = folder / ("images/im" + std::to_string(i) + ".png");
      person.number = i + 1;
      person.framing = Framing::box;
      const double left = 40 + i % 7, right = 30 - i % 5;
      for (const double y : {20.0, 32.0, 44.0}) {
        person.joints.push_back({{left, y}, JointState::visible});
        person.joints.push_back({{right, y + 1}, JointState::occluded});
      }
      person.joints.push_back({{35, 10.25}, JointState::visible});
      person.box = Box{20, 5, 35, 45};
      write_png(person.image, image);
      annotations.people.push_back(person);
    }
  }

  std::vector<Finding> problems() const {
    return find_problems(annotations, inspect_images(annotations.people, {.threads = 2, .limits = {}, .progress = {}}));
  }

  TemporaryFolder folder;
  Annotations annotations;
};

// The kinds of all findings, and that each text has the part.
std::string kinds_of(const std::vector<Finding>& findings, const std::string& part) {
  std::string kinds;
  for (const Finding& finding : findings) {
    kinds += (kinds.empty() ? "" : ", ") + finding.kind;
    CHECK_MESSAGE(finding.text.find(part) != std::string::npos, finding.text);
  }
  return kinds;
}

}  // namespace

TEST_CASE("find_problems: nothing in a clean set; each kind of mistake alone, at its person") {
  Crowd crowd;
  std::vector<Person>& people = crowd.annotations.people;
  CHECK(crowd.problems().empty());
  const std::vector<Person> clean = people;
  const auto found = [&](const std::string& part) {
    const std::string kinds = kinds_of(crowd.problems(), part);
    people = clean;
    return kinds;
  };
  people[3].joints[6].position = {79.5, 9};  // on the edge, to which a share of 1 leads
  people[3].box = Box{20, 5, 60, 45};
  CHECK(found("") == "");
  people[4].joints[6].position = {81, 10};
  people[4].joints[5].position = {30, -1.6};
  const std::vector<Finding> outside = crowd.problems();
  CHECK(found("im4.png: ") == "joint outside, joints beyond box");
  CHECK(outside[0].text.ends_with("im4.png: right_ankle and nose lie beyond its 80 x 60 pixels"));
  CHECK(outside[0].person == 4);
  people[5].joints[6].position = {75, 10};
  CHECK(found("im5.png: nose lies far from the person's box") == "joints beyond box");
  people[6].box = Box{90, 5, 10, 10};
  CHECK(kinds_of(crowd.problems(), "im6.png") == "joints beyond box, box outside");
  people = clean;
  std::swap(people[7].joints[2].position, people[7].joints[3].position);
  CHECK(found("im7.png: left_knee and right_knee look exchanged") == "sides swapped");
  for (const std::size_t pair : {0U, 2U, 4U})
    std::swap(people[8].joints[pair].position, people[8].joints[pair + 1].position);
  CHECK(found("") == "");  // turned around as a whole
  people.push_back(people[9]);
  CHECK(found("im9.png: two people with the same joints") == "person twice");
  people[10].box.reset();
  for (std::size_t j = 1; j < 7; ++j) people[10].joints[j] = {};
  CHECK(found("im10.png: a person without a box") == "no box");
  std::filesystem::copy_file(people[11].image, people[12].image, std::filesystem::copy_options::overwrite_existing);
  CHECK(found("im12.png: the same file as ") == "image twice");
  std::filesystem::resize_file(people[13].image, 60);
  std::filesystem::remove(people[14].image);
  const std::vector<Finding> findings = crowd.problems();
  const auto count = [&](const std::string& kind) {
    return std::count_if(findings.begin(), findings.end(), [&](const Finding& each) { return each.kind == kind; });
  };
  CHECK(count("damaged image") == 1);
  CHECK(count("absent image") == 1);
  std::filesystem::remove(people[13].image);
  const auto says = [&](const std::string& kind, const std::string& text) {
    const std::vector<Finding> all = crowd.problems();
    return std::count_if(all.begin(), all.end(), [&](const Finding& each) {
      return each.kind == kind && each.text.find(text) != std::string::npos;
    });
  };
  CHECK(says("absent image", "im13.png: absent, with a person on it") == 1);
  CHECK(says("absent image", "im14.png: absent, with a person on it") == 1);  // every one of them
  std::filesystem::rename(people[15].image, people[15].image.parent_path() / "IM15.jpg");
  CHECK(says("absent image", "im15.png: absent, with a person on it; IM15.jpg is there") == 1);
  // Entries that the reader left out, where that is a fault.
  crowd.annotations.leave_out("crowds");
  for (const char* place : {"p.json: annotations[3].bbox", "p.json: annotations[5].bbox"}) {
    crowd.annotations.leave_out("boxes of no area", place);
  }
  CHECK(crowd.annotations.left_out.size() == 2);
  CHECK(crowd.annotations.left_out[1].count == 2);
  CHECK(says("left out", "p.json: annotations[3].bbox: of the boxes of no area") == 1);
  CHECK(says("left out", "p.json: annotations[5].bbox: of the boxes of no area") == 1);
  CHECK(says("left out", "") == 2);
}

TEST_CASE("find_problems: sides are not judged from a few people, nor from pairs that lie anyhow") {
  Crowd crowd;
  std::vector<Person>& people = crowd.annotations.people;
  people.resize(15);
  std::swap(people[7].joints[2].position, people[7].joints[3].position);
  CHECK(crowd.problems().empty());
  Crowd loose;
  for (std::size_t i = 0; i < 30; i += 2) {  // knees crossed in half of them
    std::swap(loose.annotations.people[i].joints[2].position, loose.annotations.people[i].joints[3].position);
  }
  CHECK(loose.problems().empty());
}

TEST_CASE("statistics_of: counts by joint and state, sizes, people per image") {
  Crowd crowd;
  std::vector<Person>& people = crowd.annotations.people;
  people.resize(3);
  people[1].image = people[0].image;
  people[2].joints[6].position = {200, 10};
  people[2].joints[0] = {};
  people[2].area = 12;
  people[1].box = Box{0, 0, 10, 11};
  people[0].box.reset();
  const DataSetStatistics statistics =
      statistics_of(crowd.annotations, inspect_images(people, {.threads = 1, .limits = {}, .progress = {}}));
  CHECK(statistics.images == 2);
  CHECK(statistics.people == 3);
  CHECK(statistics.boxes == 2);
  CHECK(statistics.areas == 1);
  CHECK(statistics.head_lengths == 0);
  CHECK(statistics.people_per_image == std::vector<int>{1, 1});
  CHECK(statistics.width.median == 80);
  CHECK(statistics.height.most == 60);
  CHECK(statistics.labelled.least == 6);
  CHECK(statistics.labelled.most == 7);
  CHECK(statistics.person_side.least == 11);
  CHECK(statistics.person_side.most == 45);
  CHECK(spread_of({4, 1, 2, 100}).median == 3);
  CHECK(statistics.joints[0].visible == 2);
  CHECK(statistics.joints[0].unlabelled == 1);
  CHECK(statistics.joints[1].occluded == 3);
  CHECK(statistics.joints[6].outside == 1);
  CHECK(statistics.joints[6].visible == 2);
}

TEST_CASE("write_coco, write_csv: what is written is read back the same, from another folder too") {
  Crowd crowd;
  std::vector<Person>& people = crowd.annotations.people;
  people.resize(4);
  people[1].image = people[0].image;
  people[1].number = 1;
  people[0].joints[6].position = {1.0 / 3, -7.125};
  people[2].joints[3] = {};
  people[2].area = 345.5;
  people[3].head_length = 17.25;
  people[3].box.reset();
  crowd.annotations.joints.limbs = {{0, 2, {}}, {1, 3, {}}};
  std::filesystem::create_directories(crowd.folder / "elsewhere/deep");
  std::filesystem::rename(people[2].image, crowd.folder / "blob");
  std::filesystem::create_symlink("../blob", people[2].image);
  const DataSetKinds kinds;
  for (const std::string name : {"coco", "csv"}) {
    const std::filesystem::path file = crowd.folder / ("elsewhere/deep/people." + name);
    kinds.find(name)->write(crowd.annotations, file);
    const Annotations read = kinds.read({name, file, ""});
    CAPTURE(name);
    CHECK(read.joints.joints == crowd.annotations.joints.joints);
    CHECK(read.joints.pairs == crowd.annotations.joints.pairs);
    REQUIRE(read.people.size() == 4);
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(std::filesystem::equivalent(read.people[i].image, people[i].image));
      CHECK(read.people[i].image.filename() == people[i].image.filename());
      for (std::size_t j = 0; j < 7; ++j) {
        const Joint& now = read.people[i].joints[j];
        const Joint& before = people[i].joints[j];
        CHECK(now.state == before.state);
        if (before.is_labelled()) CHECK(now.position == before.position);
      }
    }
    CHECK(*read.people[1].box == *people[1].box);
    CHECK(read.people[2].area == 345.5);
    if (name == "csv") {
      CHECK(read.people[3].head_length == 17.25);
      CHECK(!read.people[3].box);
      CHECK(!read.people[0].area);
    } else {
      CHECK(*read.people[3].box == *person_box(people[3], 80, 60));
      CHECK(read.people[0].area == 0.53 * 35 * 45);
      CHECK(read.joints.limbs.size() == 2);
    }
  }
}

}  // namespace inspect_data_set_test
