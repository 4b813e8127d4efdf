// OKS, average precision and recall against pycocotools' figures (make_oks_cases.py) and by hand.
#include "environment.hpp"
#include "pose/meter.hpp"

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/joint_names.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/oks.hpp>
#include <posemachine/pose/pose.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace oks_test {

using namespace posemachine;

namespace {

std::vector<OksImage> images_of(const Json& json) {
  std::map<int, OksImage> images;  // pycocotools goes through them by their numbers
  for (const Json& truth : json["truths"]) {
    OksTruth& added = images[truth["image_id"].get<int>()].truths.emplace_back();
    const std::vector<double> numbers = truth["keypoints"].get<std::vector<double>>();
    bool labelled = false;
    for (std::size_t j = 0; j < numbers.size(); j += 3) {
      added.joints.push_back(
          {{numbers[j], numbers[j + 1]}, numbers[j + 2] > 0 ? JointState::visible : JointState::unlabelled});
      labelled = labelled || numbers[j + 2] > 0;
    }
    const std::vector<double> box = truth["bbox"].get<std::vector<double>>();
    added.box = {box[0], box[1], box[2], box[3]};
    added.area = truth["area"].get<double>();
    added.crowd = truth["iscrowd"] == 1;
    added.ignored = added.crowd || !labelled;
  }
  for (const Json& estimate : json["estimates"]) {
    OksDetection& added = images[estimate["image_id"].get<int>()].detections.emplace_back();
    const std::vector<double> numbers = estimate["keypoints"].get<std::vector<double>>();
    for (std::size_t j = 0; j < numbers.size(); j += 2) added.keypoints.push_back({{numbers[j], numbers[j + 1]}, 1});
    added.score = estimate["score"].get<double>();
  }
  std::vector<OksImage> list;
  for (const auto& [number, image] : images) list.push_back(image);
  return list;
}

}  // namespace

TEST_CASE("oks_precision: ten figures of four data sets are pycocotools'") {
  const std::filesystem::path file = test_environment::source_dir() / "tests/pose/oks_cases.json";
  const Json cases = parse_json<DataError>(read_file<DataError>(file, 1 << 30), file.string());
  REQUIRE(cases.size() >= 4);
  for (const Json& json : cases) {
    const OksPrecision found = oks_precision(images_of(json), json["sigmas"].get<std::vector<double>>());
    const std::vector<MetricValue> figures = figures_of(found);
    REQUIRE(figures.size() == json["expected"].size());
    for (const MetricValue& figure : figures) {
      CAPTURE(figure.name);
      const Json& expected = json["expected"][figure.name];
      CHECK(std::isnan(figure.value) == expected.is_null());
      // The sums run in another order.
      if (!expected.is_null()) CHECK(std::abs(figure.value - expected.get<double>()) < 1e-13);
    }
  }
}

TEST_CASE("oks_threshold: numpy.linspace(.5, 0.95, 10), to the last bit") {
  const double expected[]{0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.8999999999999999, 0.95};
  for (int k = 0; k < 10; ++k) CHECK(detail::oks_threshold(k) == expected[k]);
  CHECK(detail::sampled_recall(29) == 0.29);
  CHECK(detail::sampled_recall(57) == 0.5700000000000001);
}

TEST_CASE("object_keypoint_similarity: one joint at one standard deviation counts exp(-1/2), one not found 0") {
  OksTruth truth;
  truth.area = 400;
  truth.joints = {
      {{10, 10}, JointState::visible}, {{50, 50}, JointState::occluded}, {{90, 90}, JointState::unlabelled}};
  const std::vector<double> sigmas{0.1, 0.1, 0.1};  // 20 * 2 * 0.1 = 4 pixels
  const Keypoints found{{{10, 14}, 1}, {}, {{0, 0}, 1}};
  CHECK(object_keypoint_similarity(truth, found, sigmas) == doctest::Approx(std::exp(-0.5) / 2));
  truth.joints.assign(3, {});
  truth.box = {0, 0, 10, 10};
  const Keypoints around{{{-10, 20}, 1}, {{20, -10}, 1}, {{24, 5}, 1}};  // the last one 4 pixels beyond twice the box
  CHECK(object_keypoint_similarity(truth, around, sigmas) == doctest::Approx((2 + std::exp(-0.5)) / 3));
}

TEST_CASE(
    "oks: perfect estimates have 100 everywhere, somebody else's place nothing; people without an area are left out") {
  const JointSet knees = joint_set_from_names("knees", {"left_knee", "right_knee"});
  const auto truth_at = [](double x) {
    return std::vector<Joint>{{{x, 0}, JointState::visible}, {{x, 50}, JointState::visible}};
  };
  pose_test::Meter meter("oks", knees);
  for (const double x : {0.0, 500.0}) meter.add({3, truth_at(x), {}, {}, {}, 2000}, {{{x, 0}, 0.9}, {{x, 50}, 0.7}});
  meter.add({4, truth_at(0), {}, {}, {}, {}}, {{{900, 0}, 0.9}, {{900, 0}, 0.9}});
  MetricResult result = meter.result();
  CHECK(result.people == 2);
  CHECK(result.mean == doctest::Approx(100));
  CHECK(result.group("AR75") == doctest::Approx(100));
  CHECK(result.group("AP_medium") == doctest::Approx(100));
  CHECK(std::isnan(result.group("AP_large")));
  meter.add({4, truth_at(0), {}, {}, {}, 2000}, {{{0, 900}, 0.1}, {{0, 0}, 0.1}});
  result = meter.result();
  CHECK(result.group("AR") == doctest::Approx(200.0 / 3));
  CHECK(result.mean == doctest::Approx(100 * 67 / 101.0));  // recalls 0 to 0.66
  pose_test::Meter box("oks:box", knees);
  box.add(MeasuredPerson{0, truth_at(0), Box{0, 0, 100, 200}, {}, {}, {}}, {{{0, 0}, 1}, {{0, 50}, 1}});
  CHECK(box.result().people == 1);
  CHECK(box.result().group("AP_large") == doctest::Approx(100));  // 10,600 square pixels
  CHECK(box.metric().name == "oks:box");
}

TEST_CASE("oks_precision: nobody at all has no figures, and other numbers of joints are refused") {
  const OksPrecision nobody = oks_precision(std::vector<OksImage>(2), std::vector<double>{0.1});
  CHECK(std::isnan(nobody.ap));
  CHECK(std::isnan(nobody.ar_large));
  OksImage image;
  image.detections.push_back({Keypoints(2), 1});
  CHECK_THROWS_WITH_AS(oks_precision(std::vector{image}, std::vector<double>{0.1}), "OKS: expected 1 joints, got 2",
                       UsageError);
}

}  // namespace oks_test
