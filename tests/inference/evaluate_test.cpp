// evaluate: the metric over people whose truth is what the estimator says, moved where it must be wrong.
#include "inference/noise_people.hpp"
#include "reference/random_model.hpp"
#include "temporary_folder.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/base/shard.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/inference/evaluation_json.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/networks/registry.hpp>
#include <posemachine/pose/decoders/arg_max.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/metrics.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace evaluate_test {

using namespace posemachine;
using test_environment::noise_people;
using test_environment::TemporaryFolder;

namespace {

Model small_model() {
  ModelSpec spec;
  spec.input_height = spec.input_width = 64;
  return reference::random_model("scaling-dilation-small", graph_of<ScalingDilationSmall>(), 5, spec);
}

}  // namespace

TEST_CASE("evaluate: a truth that is the last stage's answer scores 100 there and less before") {
  const TemporaryFolder folder;
  Estimator estimator(small_model());
  const std::vector<Person> people = noise_people(folder.path(), estimator, 2, 5);
  const EvaluationResult result = evaluate(estimator, people);
  REQUIRE(result.stages.size() == 3);
  CHECK(result.people == 5);
  CHECK(result.pck().mean == 100);
  CHECK(result.find("pcp_strict")->mean == 100);
  CHECK(result.find("pck", 0)->mean < 100);
  REQUIRE(result.poses.size() == 5);
  CHECK(result.poses[3].keypoints[6].position == people[3].joints[6].position);
}

TEST_CASE("evaluate: joints moved beyond the threshold count as wrong, those of other people do not change") {
  const TemporaryFolder folder;
  Estimator estimator(small_model());
  std::vector<Person> people = noise_people(folder.path(), estimator, 2, 4);
  people[1].joints[6].position.x += 1e4;  // right wrist of one of four
  const EvaluationResult result = evaluate(estimator, people);
  CHECK(result.pck().parts[6].value == doctest::Approx(75));
  CHECK(result.pck().mean == doctest::Approx(100 - 25.0 / 14));
  CHECK(result.find("pcp_strict")->mean == doctest::Approx(100 - 25.0 / 10));  // its lower arm
}

TEST_CASE("evaluate: one worker and two give the same scores and poses, and progress counts every image once") {
  const TemporaryFolder folder;
  Estimator estimator(small_model());
  std::vector<Person> people = noise_people(folder.path(), estimator, 1, 6);
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
    CHECK(one.find("pck", s)->parts == two.find("pck", s)->parts);
    CHECK(one.find("pcp_strict", s)->groups == two.find("pcp_strict", s)->groups);
  }
  for (std::size_t i = 0; i < people.size(); ++i) {
    for (std::size_t j = 0; j < 14; ++j) {
      CHECK(one.poses[i].keypoints[j].position == two.poses[i].keypoints[j].position);
    }
  }
}

TEST_CASE("evaluate: the merged results of 1, 2, 3 and 7 shares of 5 people are the result of all, poses included") {
  const TemporaryFolder folder;
  Estimator estimator(small_model());
  std::vector<Person> people = noise_people(folder.path(), estimator, 2, 5);
  people[1].joints[6].position.x += 1e4;
  people[4].joints[0].position.y += 1e4;
  const EvaluationResult whole = evaluate(estimator, people);
  for (const int count : {1, 2, 3, 7}) {
    std::vector<EvaluationResult> shares;
    for (int number = 1; number <= count; ++number) {
      EvaluateOptions options;
      options.shard = {number, count};
      int images = 0;
      options.progress = [&](int, int) { ++images; };
      shares.push_back(evaluate(estimator, people, options));
      CHECK(images == int(share_size(options.shard, 5)));
      CHECK(shares.back().people == images);
      CHECK(shares.back().stages.size() == 3);
    }
    const EvaluationResult merged = merge(shares);
    CHECK(merged.people == 5);
    CHECK(merged.metrics[0].name == whole.metrics[0].name);
    REQUIRE(merged.stages.size() == 3);
    for (std::size_t s = 0; s < 3; ++s) {
      CHECK(merged.find("pck", s)->right == whole.find("pck", s)->right);
      CHECK(merged.find("pck", s)->groups == whole.find("pck", s)->groups);
      CHECK(merged.find("pck", s)->mean == whole.find("pck", s)->mean);
      CHECK(merged.find("pcp_strict", s)->parts == whole.find("pcp_strict", s)->parts);
      CHECK(merged.find("pcp_strict", s)->mean == whole.find("pcp_strict", s)->mean);
    }
    REQUIRE(merged.poses.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) {
      CHECK(merged.poses[i].keypoints[3].position == whole.poses[i].keypoints[3].position);
    }
    shares.front().poses.clear();
    CHECK(merge(shares).poses.empty());
  }
}

TEST_CASE("evaluate: a share has as many stages as the whole where the estimator answers early, though it be empty") {
  const TemporaryFolder folder;
  Estimator estimator(small_model(), {.stages = 2});
  const std::vector<Person> people = noise_people(folder.path(), estimator, 1, 1);
  EvaluateOptions options;
  options.shard = {2, 2};
  const EvaluationResult nobody = evaluate(estimator, people, options);
  CHECK(nobody.people == 0);
  CHECK(nobody.stages.size() == 2);
  CHECK(nobody.pck().right == std::vector<int>(14, 0));
  CHECK(nobody.pck().mean != nobody.pck().mean);  // NaN
}

TEST_CASE("evaluate: all options of the estimator count, not its model's alone") {
  const TemporaryFolder folder;
  const Model model = small_model();
  for (EstimatorOptions options :
       {EstimatorOptions{.stages = 2}, EstimatorOptions{.scales = {0.75, 1.25}}, EstimatorOptions{.flip_average = true},
        EstimatorOptions{.decoder = arg_max_decoder}, EstimatorOptions{.second_pass = SecondPass{0.0, 4}}}) {
    options.threads = 2;
    Estimator estimator(model, options);
    const std::vector<Person> people = noise_people(folder.path(), estimator, 1, 2);
    const EvaluationResult result = evaluate(estimator, people);
    REQUIRE(result.stages.size() == (options.stages != 0 ? 2 : 3));
    const Pose pose = estimator(read_image(people[1].image));
    CHECK(result.poses[1].box == pose.box);
    for (std::size_t j = 0; j < 14; ++j) CHECK(result.poses[1].keypoints[j].position == pose.keypoints[j].position);
  }
}

TEST_CASE("merge: results that are not the shares of one evaluation are refused with the share that is wrong") {
  const JointSet joints = lsp_joints();
  const auto share = [&](int people) {
    EvaluationResult result;
    result.people = people;
    const MeasuredPerson person{0, std::vector<Joint>(14, {{1, 2}, JointState::visible}), {}, {}, {}, {}};
    result.metrics = default_metrics(joints, std::vector{person});
    result.measured.assign(std::size_t(people), person);
    result.estimates.assign(1, std::vector<Keypoints>(std::size_t(people), Keypoints(14, Keypoint{{1, 2}, 1})));
    result.stages.resize(1);
    return result;
  };
  CHECK(merge(std::vector{share(2), share(1)}).find("pcp_strict")->mean == 100);
  CHECK_THROWS_WITH_AS(merge(std::vector<EvaluationResult>{}), "merge: expected at least one result, got none",
                       UsageError);
  CHECK_THROWS_WITH_AS(merge(std::vector{share(1), share(2)}), "merge: shard 1/2: expected 2 of 3 people, got 1",
                       UsageError);
  std::vector<EvaluationResult> shares{share(2), share(2)};
  shares[1].metrics[0] = MetricKinds().make("pck@0.5", joints);
  CHECK_THROWS_WITH_AS(merge(shares),
                       "merge: shard 2/2: expected 1 stages of pck@0.2:torso, pcp_strict@0.5, as the first share has, "
                       "got 1 stages of pck@0.5:torso, pcp_strict@0.5",
                       UsageError);
  shares = {share(2), share(2)};
  shares[1].stages.push_back(shares[1].stages.front());
  CHECK_THROWS_AS(merge(shares), UsageError);
  shares = {share(2), share(2)};
  shares[1].measured[0].truth.pop_back();
  CHECK_THROWS_AS(merge(shares), UsageError);
  shares = {share(2), share(2)};
  shares[1].estimates[0].pop_back();
  CHECK_THROWS_AS(merge(shares), UsageError);
}

TEST_CASE("evaluation_from_measurements: the figures of what was written, to the last bit, and what is wrong by name") {
  const TemporaryFolder folder;
  Estimator estimator(small_model());
  std::vector<Person> people = noise_people(folder.path(), estimator, 2, 3);
  people[0].joints[5] = {};
  people[1].joints[6].position.x += 7.3;
  people[1].head_length = 11.5;
  people[2].area = 345.25;
  people[2].box = Box{1, 2, 30.5, 40};
  std::ofstream(people[0].image, std::ios::trunc) << "no picture";
  EvaluateOptions options;
  options.damaged = std::make_shared<DamagedImages>();
  const JointSet joints = lsp_joints();
  for (const char* name : {"epe", "pck@0.1", "auc:image", "pckh", "pck:box", "pcp_loose"}) {
    options.metrics.push_back(MetricKinds().make(name, joints));
  }
  const EvaluationResult result = evaluate(estimator, people, options);
  CHECK(result.find("epe")->people == 2);
  CHECK(result.find("pckh")->people == 1);
  CHECK(result.find("epe")->mean > 0);
  const Json json = parse_json<DataError>(write_json<DataError>(measurements_to_json(result), "json"), "json");
  const EvaluationResult read = evaluation_from_measurements(json, options.metrics, joints, 3, "share");
  CHECK(evaluation_to_json(read) == evaluation_to_json(result));
  for (std::size_t s = 0; s < 3; ++s) {
    for (std::size_t m = 0; m < options.metrics.size(); ++m) {
      CHECK(read.stages[s][m].counted == result.stages[s][m].counted);
      const double now = read.stages[s][m].mean, before = result.stages[s][m].mean;
      CHECK((now == before || (now != now && before != before)));
    }
  }
  const auto refused = [&](auto&& change, const std::string& message) {
    Json wrong = json;
    change(wrong);
    CHECK_THROWS_WITH_AS(evaluation_from_measurements(wrong, options.metrics, joints, 3, "share"),
                         doctest::Contains(message.c_str()), DataError);
  };
  refused([](Json& j) { j = 3; }, "share: expected a list of people, got 3");
  refused([](Json& j) { j[1].erase("image"); }, "share[1].image");
  refused([](Json& j) { j[1]["truth"].erase(0); }, "share[1].truth: expected a list of 14");
  refused([](Json& j) { j[1]["truth"][2][2] = 9; }, "share[1].truth: expected a state from 1 to 3, got 9");
  refused([](Json& j) { j[1]["truth"][2][2] = 1.5; }, "share[1].truth: expected a state from 1 to 3, got 1.5");
  refused([](Json& j) { j[1]["truth"][2][2] = 1e300; }, "share[1].truth: expected a state from 1 to 3, got 1e+300");
  refused([](Json& j) { j[1]["truth"][2][0] = "1"; }, "share[1].truth: expected a number, got \"1\"");
  refused([](Json& j) { j[1]["estimates"].erase(0); }, "share[1].estimates: expected 3 stages, got 2");
  refused([](Json& j) { j[1]["estimates"][2] = Json::array(); }, "expected keypoints of every stage, or of none");
  refused([](Json& j) { j[1]["estimates"][2][3] = {1, 2}; }, "share[1].estimates: expected a list of 3");
  refused([](Json& j) { j[1]["box"] = {1, 2, 3}; }, "share[1].box: expected a list of 4");
  refused([](Json& j) { j[1]["area"] = nullptr; }, "share[1].area: expected a number, got null");
}

TEST_CASE("evaluate: people framed by boxes are looked for there, and unlabelled joints count for nobody") {
  const TemporaryFolder folder;
  Estimator estimator(small_model());
  std::vector<Person> people = noise_people(folder.path(), estimator, 2, 2);
  const Box box{20, 10, 30, 40};
  for (Person& person : people) {
    person.framing = Framing::box;
    person.box = box;
    const Pose pose = estimator.estimate_stages(read_image(person.image), box).pose;
    for (std::size_t j = 0; j < person.joints.size(); ++j) person.joints[j].position = pose.keypoints[j].position;
  }
  CHECK(evaluate(estimator, people).pck().mean == 100);
  people[0].framing = Framing::image;  // there the whole image is seen
  CHECK(evaluate(estimator, people).pck().mean < 100);
  people[0].framing = Framing::box;
  people[0].joints[12] = {};
  people[1].joints[12] = {};
  people[1].joints[0].position.x += 1000;
  const EvaluationResult result = evaluate(estimator, people);
  CHECK(result.pck().counted[12] == 0);
  CHECK(result.pck().counted[0] == 2);
  CHECK(result.pck().right[0] == 1);
  EvaluateOptions options;
  options.metrics = {MetricKinds().make("pck@30:box", lsp_joints())};  // 1,200 pixels
  CHECK(evaluate(estimator, people, options).pck().mean == 100);
  CHECK(evaluate(estimator, people, options).find("pcp_strict") == nullptr);
  for (Person& person : people) person.joints[9] = {};
  CHECK_THROWS_WITH_AS(evaluate(estimator, people),
                       "metric pck@0.2:torso: expected at least one person with a labelled torso, got none of 2; "
                       "measure by the box",
                       DataError);
}

TEST_CASE("evaluate: people of damaged photographs are left out where that is noted, and refused where not") {
  const TemporaryFolder folder;
  Estimator estimator(small_model());
  std::vector<Person> people = noise_people(folder.path(), estimator, 2, 3);
  std::ofstream(people[1].image, std::ios::trunc) << "no picture";
  CHECK_THROWS_WITH_AS(evaluate(estimator, people), doctest::Contains("im1.png"), DataError);
  EvaluateOptions options;
  options.damaged = std::make_shared<DamagedImages>();
  const EvaluationResult result = evaluate(estimator, people, options);
  CHECK(result.people == 3);
  CHECK(result.left_out == 1);
  CHECK(result.pck().people == 2);
  CHECK(result.pck().mean == 100);
  CHECK(options.damaged->all().size() == 1);
  const Json json = evaluation_to_json(result);
  CHECK(json["people"] == 2);
  CHECK(json["left_out"] == 1);
  // An absent one is left out likewise.
  std::filesystem::remove(people[1].image);
  options.damaged = std::make_shared<DamagedImages>();
  CHECK(evaluate(estimator, people, options).left_out == 1);
  CHECK(options.damaged->all().begin()->second == people[1].image.string() + ": absent");
}

TEST_CASE("evaluate: nobody, other joint sets and absent images are refused; progress may throw") {
  const TemporaryFolder folder;
  Estimator estimator(small_model());
  std::vector<Person> people = noise_people(folder.path(), estimator, 2, 2);
  CHECK_THROWS_AS(evaluate(estimator, std::vector<Person>{}), UsageError);
  EvaluateOptions beyond;
  beyond.shard = {3, 2};
  CHECK_THROWS_AS(evaluate(estimator, people, beyond), UsageError);
  std::vector<Person> wrong = people;
  wrong[1].joints.pop_back();
  CHECK_THROWS_WITH_AS(evaluate(estimator, wrong), doctest::Contains("im1.png: expected 14 joints"), UsageError);
  wrong = people;
  wrong[1].image = folder / "absent.png";
  EvaluateOptions options;
  options.threads = 2;
  CHECK_THROWS_WITH_AS(evaluate(estimator, wrong, options), doctest::Contains("absent.png"), DataError);
  options.progress = [](int, int) { throw std::runtime_error("enough"); };
  CHECK_THROWS_WITH_AS(evaluate(estimator, people, options), "enough", std::runtime_error);
}

}  // namespace evaluate_test
