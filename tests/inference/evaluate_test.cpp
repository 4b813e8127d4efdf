// evaluate: the metric over people whose truth is what the estimator says, moved where it must be wrong.
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/networks/registry.hpp>

#include <unistd.h>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

using namespace posemachine;

namespace {

// A folder of its own, gone with the test.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("pm_evaluate_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

Model small_model() {
  Meaning meaning;
  meaning.input_height = meaning.input_width = 64;
  return Model::random("scaling-dilation-small", graph_of<ScalingDilationSmall>(), 5, meaning);
}

// People whose truth is what stage `stage` says of them.
std::vector<Person> people_in(const std::filesystem::path& folder, Estimator& estimator, std::size_t stage, int count) {
  std::vector<Person> people;
  for (int i = 0; i < count; ++i) {
    Image image(60 + 5 * i, 80);
    RandomStream stream(static_cast<std::uint64_t>(i), Purpose::test);
    for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(stream.below(256));
    Person person;
    person.image = folder / ("im" + std::to_string(i) + ".png");
    person.dataset = "lsp";
    person.number = i + 1;
    write_png(person.image, image);
    const Estimate estimate = estimator.explain(image);
    for (const Keypoint& keypoint : estimate.stages[stage].keypoints) {
      person.joints.push_back({keypoint.position, JointState::visible});
    }
    people.push_back(person);
  }
  return people;
}

}  // namespace

TEST_CASE("evaluate: a truth that is the last stage's answer scores 100 there and less before") {
  const Folder folder;
  Estimator estimator(small_model());
  const std::vector<Person> people = people_in(folder.path(), estimator, 2, 5);
  const EvaluationResult result = evaluate(estimator, people);
  REQUIRE(result.stages.size() == 3);
  CHECK(result.people == 5);
  CHECK(result.pck().mean == 100);
  CHECK(result.pcp_strict().mean == 100);
  CHECK(result.stages[0].pck.mean < 100);
  REQUIRE(result.poses.size() == 5);
  CHECK(result.poses[3].keypoints[6].position == people[3].joints[6].position);
}

TEST_CASE("evaluate: joints moved beyond the threshold count as wrong, those of other people do not change") {
  const Folder folder;
  Estimator estimator(small_model());
  std::vector<Person> people = people_in(folder.path(), estimator, 2, 4);
  people[1].joints[6].position.x += 1e4;  // right wrist of one of four
  const EvaluationResult result = evaluate(estimator, people);
  CHECK(result.pck().parts[6].percent == doctest::Approx(75));
  CHECK(result.pck().mean == doctest::Approx(100 - 25.0 / 14));
  CHECK(result.pcp_strict().mean == doctest::Approx(100 - 25.0 / 10));  // its lower arm
}

TEST_CASE("evaluate: one worker and two give the same scores and poses, and progress counts every image once") {
  const Folder folder;
  Estimator estimator(small_model());
  std::vector<Person> people = people_in(folder.path(), estimator, 1, 6);
  EvaluateOptions options;
  std::vector<int> seen;
  options.progress = [&](int done, int count) {
    CHECK(count == 6);
    seen.push_back(done);
  };
  const EvaluationResult one = evaluate(estimator, people, options);
  CHECK(seen == std::vector<int>{1, 2, 3, 4, 5, 6});
  options.threads = 2;
  const EvaluationResult two = evaluate(estimator, people, options);
  CHECK(seen.size() == 12);
  for (std::size_t s = 0; s < 3; ++s) {
    CHECK(one.stages[s].pck.parts == two.stages[s].pck.parts);
    CHECK(one.stages[s].pcp_strict.groups == two.stages[s].pcp_strict.groups);
  }
  for (std::size_t i = 0; i < people.size(); ++i) {
    for (std::size_t j = 0; j < 14; ++j) {
      CHECK(one.poses[i].keypoints[j].position == two.poses[i].keypoints[j].position);
    }
  }
}

TEST_CASE("evaluate: nobody, other joint sets, unlabelled joints and absent images are refused; progress may throw") {
  const Folder folder;
  Estimator estimator(small_model());
  std::vector<Person> people = people_in(folder.path(), estimator, 2, 2);
  CHECK_THROWS_AS(evaluate(estimator, std::vector<Person>{}), UsageError);
  std::vector<Person> wrong = people;
  wrong[1].joints.pop_back();
  CHECK_THROWS_WITH_AS(evaluate(estimator, wrong), doctest::Contains("im1.png: expected 14 joints"), UsageError);
  wrong = people;
  wrong[0].joints[12].state = JointState::unlabelled;
  CHECK_THROWS_WITH_AS(evaluate(estimator, wrong), doctest::Contains("im0.png: neck"), DataError);
  wrong = people;
  wrong[1].image = folder.path() / "absent.png";
  EvaluateOptions options;
  options.threads = 2;
  CHECK_THROWS_WITH_AS(evaluate(estimator, wrong, options), doctest::Contains("absent.png"), DataError);
  options.progress = [](int, int) { throw std::runtime_error("enough"); };
  CHECK_THROWS_WITH_AS(evaluate(estimator, people, options), "enough", std::runtime_error);
}
