// Labels beside a data set: what they replace, what a score makes of them, and what is refused.
#include "refusal.hpp"
#include "temporary_folder.hpp"

#include <posemachine/data/labels.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <matio.h>

namespace pm = posemachine;
using test_environment::contains;
using test_environment::refusal;
using test_environment::TemporaryFolder;

namespace {

struct Variable {
  const char* name;
  std::vector<std::size_t> dims;
  std::vector<double> values;
};

void write_arrays(const std::filesystem::path& path, std::vector<Variable> variables) {
  mat_t* mat = Mat_CreateVer(path.c_str(), nullptr, MAT_FT_MAT5);
  for (Variable& each : variables) {
    matvar_t* variable = Mat_VarCreate(each.name, MAT_C_DOUBLE, MAT_T_DOUBLE, int(each.dims.size()), each.dims.data(),
                                       each.values.data(), 0);
    Mat_VarWrite(mat, variable, MAT_COMPRESSION_ZLIB);
    Mat_VarFree(variable);
  }
  Mat_Close(mat);
}

// Of joint j of image n, both from 0. Every fifth joint weighs nothing.
double x_of(std::size_t n, std::size_t j) { return 10.5 + 100 * double(n) + 2 * double(j); }
double y_of(std::size_t n, std::size_t j) { return 1000 + 100 * double(n) + 3 * double(j); }
double third_of(std::size_t n, std::size_t j) { return double((n + j) % 5) / 4; }

std::size_t at(std::size_t n, std::size_t j, std::size_t field, std::size_t joints = 14) {
  return j + joints * (field + 3 * n);
}

std::vector<double> label_values(std::size_t images, std::size_t joints = 14) {
  std::vector<double> values(3 * joints * images);
  for (std::size_t n = 0; n < images; ++n) {
    for (std::size_t j = 0; j < joints; ++j) {
      values[at(n, j, 0, joints)] = x_of(n, j);
      values[at(n, j, 1, joints)] = y_of(n, j);
      values[at(n, j, 2, joints)] = third_of(n, j);
    }
  }
  return values;
}

std::vector<pm::Person> people_of(const std::vector<int>& numbers) {
  std::vector<pm::Person> people;
  for (const int number : numbers) {
    people.push_back({"x.jpg", "lsp", number, std::vector<pm::Joint>(14, {{1, 2}, pm::JointState::occluded})});
  }
  return people;
}

}  // namespace

TEST_CASE("read_labels: pixels are counted from 0, the third field is the weight, and weight 0 is unlabelled") {
  const TemporaryFolder folder;
  const auto path = folder / "labels.mat";
  write_arrays(path, {{"thunder", {2, 2}, {1, 2, 3, 4}}, {"suggested", {14, 3, 3}, label_values(3)}});
  const pm::Labels labels = pm::read_labels(path, {.array = "suggested"});
  REQUIRE(labels.images.size() == 3);
  CHECK(labels.where == path.string() + ": suggested");
  for (std::size_t n = 0; n < 3; ++n) {
    REQUIRE(labels.images[n].size() == 14);
    for (std::size_t j = 0; j < 14; ++j) {
      const pm::Joint& joint = labels.images[n][j];
      if (third_of(n, j) == 0) {
        CHECK(joint.state == pm::JointState::unlabelled);
        CHECK(joint.position == pm::Point{});
        CHECK(joint.weight == 1);  // as the data sets' own unlabelled joints
      } else {
        CHECK(joint.state == pm::JointState::visible);
        CHECK(joint.position == pm::Point{x_of(n, j) - 1, y_of(n, j) - 1});
        CHECK(joint.weight == static_cast<float>(third_of(n, j)));
      }
    }
  }
  write_arrays(path, {{"joints", {16, 3, 1}, label_values(1, 16)}});  // the default's name, another joint set
  CHECK(pm::read_labels(path, {.joint_count = 16}).images.front().size() == 16);
}

TEST_CASE("read_labels: with a threshold the third field is a score: joints that reach it weigh 1, others nothing") {
  const TemporaryFolder folder;
  const auto path = folder / "labels.mat";
  write_arrays(path, {{"joints", {14, 3, 2}, label_values(2)}});
  for (const double threshold : {0.0, 0.5, 0.6, 1.0}) {
    const pm::Labels labels = pm::read_labels(path, {.score_threshold = threshold});
    for (std::size_t n = 0; n < 2; ++n) {
      for (std::size_t j = 0; j < 14; ++j) {
        CHECK(labels.images[n][j].is_labelled() == (third_of(n, j) >= threshold));
        CHECK(labels.images[n][j].weight == 1);
      }
    }
  }
  for (const double wrong : {-0.1, 1.1, std::nan("")}) {
    CHECK(contains(refusal<pm::UsageError>([&] { pm::read_labels(path, {.score_threshold = wrong}); }),
                   "labels: score threshold: expected 0 to 1"));
  }
}

TEST_CASE("read_labels: what says nothing may lie anywhere, what counts must lie somewhere") {
  const TemporaryFolder folder;
  const auto path = folder / "labels.mat";
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  for (const double nowhere : {nan, inf, -inf}) {
    for (const std::size_t field : {std::size_t{0}, std::size_t{1}}) {
      std::vector<double> values = label_values(2);
      values[at(1, 4, field)] = nowhere;  // of weight (1 + 4) % 5 = 0
      write_arrays(path, {{"joints", {14, 3, 2}, values}});
      CHECK(pm::read_labels(path).images[1][4].state == pm::JointState::unlabelled);
      values[at(1, 4, 2)] = 0.25;
      write_arrays(path, {{"joints", {14, 3, 2}, values}});
      CHECK(contains(refusal([&] { pm::read_labels(path); }),
                     "labels.mat: joints, image 2, joint 5: expected finite x and y of a joint that counts, got "));
      CHECK(refusal([&] { pm::read_labels(path, {.score_threshold = 0.3}); }) == "");
      CHECK(refusal([&] { pm::read_labels(path, {.score_threshold = 0.25}); }) != "");
    }
  }
}

TEST_CASE("read_labels: weights and scores outside 0 to 1 are refused by image and joint") {
  const TemporaryFolder folder;
  const auto path = folder / "labels.mat";
  for (const double wrong : {-0.001, 1.001, 2.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    std::vector<double> values = label_values(3);
    values[at(2, 13, 2)] = wrong;
    write_arrays(path, {{"joints", {14, 3, 3}, values}});
    CHECK(contains(refusal([&] { pm::read_labels(path); }),
                   "labels.mat: joints, image 3, joint 14: expected a weight of 0 to 1, got "));
    CHECK(contains(refusal([&] { pm::read_labels(path, {.score_threshold = 0.5}); }),
                   "image 3, joint 14: expected a score of 0 to 1, got "));
  }
}

TEST_CASE("read_labels: another array, rank, joint count or order and more images than the data set has are refused") {
  const TemporaryFolder folder;
  const auto path = folder / "labels.mat";
  const auto message = [&](const pm::LabelsOptions& options = {}) {
    return refusal([&] { pm::read_labels(path, options); });
  };
  CHECK(contains(message(), "labels.mat: expected a MATLAB v5 file, got nothing of that name"));
  write_arrays(path, {{"thunder", {14, 3, 1}, label_values(1)},
                      {"lightning", {14, 3, 1}, label_values(1)},
                      {"suggested", {14, 3, 1}, label_values(1)}});
  CHECK(contains(message(),
                 "labels.mat: joints: expected a real array of numbers with 3 dimensions, got no "
                 "variable of that name; the file has thunder, lightning and suggested"));
  write_arrays(path, {{"joints", {14, 3}, label_values(1)}});  // as MATLAB saves 14 x 3 x 1
  CHECK(message() == "");
  write_arrays(path, {{"joints", {16, 3, 2}, label_values(2, 16)}});
  CHECK(contains(message(), "labels.mat: joints: expected 14 x 3 x images, got 16 x 3 x 2"));
  write_arrays(path, {{"joints", {3, 14, 2}, label_values(2)}});
  CHECK(contains(message(), "expected 14 x 3 x images, got 3 x 14 x 2"));
  write_arrays(path, {{"joints", {14, 3, 0}, {}}});
  CHECK(contains(message(), "expected 14 x 3 x images, got 14 x 3 x 0"));
  write_arrays(path, {{"joints", {14, 3, 5}, label_values(5)}});
  CHECK(contains(message({.image_count = 4}),
                 "labels.mat: joints: expected at most 4 images, as the data set has, got "
                 "5; are these the labels of another data set?"));
  CHECK(message({.image_count = 5}) == "");
  CHECK(message({.image_count = 6}) == "");
}

TEST_CASE("apply_labels: people get the joints of their image's number, and all else stays") {
  const TemporaryFolder folder;
  const auto path = folder / "labels.mat";
  write_arrays(path, {{"joints", {14, 3, 9}, label_values(9)}});
  const pm::Labels labels = pm::read_labels(path);
  std::vector<pm::Person> people = people_of({3, 9, 1, 3});
  people[1].framing = pm::Framing::labelled_box;
  pm::apply_labels(people, labels);
  for (const pm::Person& person : people) {
    const auto n = static_cast<std::size_t>(person.number - 1);
    CHECK(person.image == "x.jpg");
    CHECK(person.dataset == "lsp");
    for (std::size_t j = 0; j < 14; ++j) {
      const pm::Joint& joint = person.joints[j];
      CHECK(joint.is_labelled() == (third_of(n, j) > 0));
      if (joint.is_labelled()) CHECK(joint.position.x == x_of(n, j) - 1);
    }
  }
  CHECK(people[1].framing == pm::Framing::labelled_box);
  CHECK(people[2].number == 1);
}

TEST_CASE("apply_labels: an image that the labels do not cover, or another joint set, is refused and changes nobody") {
  const TemporaryFolder folder;
  const auto path = folder / "labels.mat";
  write_arrays(path, {{"joints", {14, 3, 4}, label_values(4)}});
  const pm::Labels labels = pm::read_labels(path);
  for (const int number : {5, 900, 0, -1}) {
    std::vector<pm::Person> people = people_of({1, number});
    CHECK(contains(refusal([&] { pm::apply_labels(people, labels); }),
                   "joints: expected labels for image " + std::to_string(number) + " of lsp, got 4 images"));
    CHECK(people[0].joints[0].state == pm::JointState::occluded);
  }
  std::vector<pm::Person> people = people_of({1, 2});
  people[1].joints.resize(16);
  CHECK(contains(refusal([&] { pm::apply_labels(people, labels); }), "expected 16 joints, as lsp has, got 14"));
  CHECK(people[0].joints[0].state == pm::JointState::occluded);
}
