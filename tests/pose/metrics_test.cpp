// PCK, PCP, end-point errors and areas against figures reckoned by hand and by naive loops.
#include "pose/meter.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/joint_names.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/metrics.hpp>
#include <posemachine/pose/pose.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace metrics_test {

namespace pm = posemachine;
using pose_test::Meter;

namespace {

/// A person who stands straight, in pixels: left shoulder (9) to right hip (2) is (30, 40), 50 pixels.
std::vector<pm::Point> standing() {
  return {{10, 200},  {10, 160}, {10, 120}, {30, 120}, {30, 160}, {30, 200}, {-20, 120},
          {-10, 100}, {0, 80},   {40, 80},  {50, 100}, {60, 120}, {20, 75},  {20, 45}};
}

std::vector<pm::Keypoint> exactly(const std::vector<pm::Point>& points) {
  std::vector<pm::Keypoint> keypoints;
  for (const pm::Point p : points) keypoints.push_back({p, 1});
  return keypoints;
}

double rate(const std::vector<pm::MetricValue>& values, const std::string& name) {
  for (const pm::MetricValue& each : values) {
    if (each.name == name) return each.value;
  }
  FAIL("no figure named " << name);
  return 0;
}

double uniform(std::uint32_t& state, double low, double high) {
  state = state * 1664525u + 1013904223u;
  return low + (high - low) * (state >> 8) * 0x1p-24;
}

}  // namespace

TEST_CASE("pck: the truth itself scores 100 everywhere") {
  Meter meter("pck");
  meter.add(standing(), exactly(standing()));
  const auto result = meter.result();
  CHECK(result.people == 1);
  CHECK(result.mean == 100);
  REQUIRE(result.parts.size() == 14);
  REQUIRE(result.groups.size() == 7);
  for (const auto& r : result.groups) CHECK(r.value == 100);
}

TEST_CASE("pck: a joint is right at exactly 0.2 of left shoulder to right hip and wrong beyond") {
  auto predicted = exactly(standing());
  predicted[13].position.x += 10;             // 0.2 * 50: right
  predicted[6].position.y += 10.0001;         // wrong
  predicted[0].position = {10 + 6, 200 + 8};  // 10 away: right
  predicted[4] = {};                          // missing: wrong
  Meter meter("pck");
  meter.add(standing(), predicted);
  const auto result = meter.result();
  CHECK(rate(result.parts, "head_top") == 100);
  CHECK(rate(result.parts, "right_wrist") == 0);
  CHECK(rate(result.parts, "right_ankle") == 100);
  CHECK(rate(result.parts, "left_knee") == 0);
  CHECK(rate(result.groups, "wrist") == 50);
  CHECK(rate(result.groups, "knee") == 50);
  CHECK(rate(result.groups, "head") == 100);
  CHECK(result.mean == doctest::Approx(100.0 * 12 / 14));
  Meter half("pck@0.5");
  half.add(standing(), predicted);
  CHECK(half.metric().threshold == 0.5);
  CHECK(rate(half.result().parts, "right_wrist") == 100);
}

TEST_CASE("pck: the torso is the truth's, whatever the estimate's") {
  auto predicted = exactly(standing());
  predicted[2].position = {2000, 2000};  // an estimate with a huge torso
  predicted[13].position.x += 15;
  Meter meter("pck");
  meter.add(standing(), predicted);
  CHECK(rate(meter.result().parts, "head_top") == 0);
  CHECK(rate(meter.result().parts, "right_hip") == 0);
}

TEST_CASE("pck: sides swapped are wrong") {
  const auto truth = standing();
  auto predicted = exactly(truth);
  for (const auto& [left, right] : pm::lsp_joints().pairs) {
    std::swap(predicted[std::size_t(left)], predicted[std::size_t(right)]);
  }
  Meter meter("pck");
  meter.add(truth, predicted);
  CHECK(meter.result().mean == doctest::Approx(100.0 * 2 / 14));  // neck and head top
}

TEST_CASE("pck: rates over many people equal a naive count") {
  const auto set = pm::lsp_joints();
  Meter meter("pck@0.3");
  std::vector<int> right(14, 0);
  std::uint32_t state = 3;
  for (int person = 0; person < 37; ++person) {
    std::vector<pm::Point> truth;
    std::vector<pm::Keypoint> predicted;
    for (int j = 0; j < 14; ++j) {
      truth.push_back({uniform(state, 0, 100), uniform(state, 0, 100)});
      predicted.push_back({{truth.back().x + uniform(state, -20, 20), truth.back().y + uniform(state, -20, 20)}, 0.5});
      if (uniform(state, 0, 1) < 0.1) predicted.back() = {};
    }
    const double dx = truth[9].x - truth[2].x;
    const double dy = truth[9].y - truth[2].y;
    for (std::size_t j = 0; j < 14; ++j) {
      const double ex = predicted[j].position.x - truth[j].x;
      const double ey = predicted[j].position.y - truth[j].y;
      if (std::sqrt(ex * ex + ey * ey) <= 0.3 * std::sqrt(dx * dx + dy * dy)) ++right[j];
    }
    meter.add(truth, predicted);
  }
  const auto result = meter.result();
  double sum = 0;
  for (std::size_t j = 0; j < 14; ++j) {
    CHECK(result.parts[j].value == doctest::Approx(100.0 * right[j] / 37));
    sum += 100.0 * right[j] / 37;
  }
  CHECK(result.mean == doctest::Approx(sum / 14));
  CHECK(result.mean > 10);
  CHECK(result.mean < 90);
  CHECK(rate(result.groups, "elbow") == doctest::Approx(100.0 * (right[7] + right[10]) / 74));
  CHECK(rate(result.groups, "head") == doctest::Approx(100.0 * (right[12] + right[13]) / 74));
}

TEST_CASE("pck: a true torso of length 0 leaves only exact hits right, and everyone is still counted") {
  auto truth = standing();
  truth[9] = truth[2];
  auto predicted = exactly(truth);
  predicted[0].position.x += 1e-6;
  Meter meter("pck");
  meter.add(truth, predicted);
  CHECK(rate(meter.result().parts, "right_ankle") == 0);
  CHECK(rate(meter.result().parts, "left_ankle") == 100);
  CHECK(meter.result().people == 1);
}

TEST_CASE("pck: nobody counted gives NaN, not 0") {
  const auto result = Meter("pck").result();
  CHECK(result.people == 0);
  CHECK(std::isnan(result.mean));
  CHECK(std::isnan(result.groups[0].value));
}

TEST_CASE("metrics: other numbers of joints, of estimates, and a truth without a position are refused by all") {
  auto short_truth = standing();
  short_truth.pop_back();
  auto unlabelled = standing();
  unlabelled[4].y = std::nan("");
  for (const char* name : {"pck", "pckh", "pdj", "auc", "epe", "pcp_strict", "pcp_loose"}) {
    CAPTURE(name);
    Meter truth(name), estimate(name), nan(name);
    truth.add(short_truth, exactly(standing()));
    estimate.add(standing(), exactly(short_truth));
    nan.add(unlabelled, exactly(standing()));
    CHECK_THROWS_WITH_AS(truth.result(),
                         "metrics: expected 14 true and estimated joints (joint set lsp), got 13 and 14",
                         pm::UsageError);
    CHECK_THROWS_AS(estimate.result(), pm::UsageError);
    CHECK_THROWS_WITH_AS(nan.result(),
                         "metrics: truth of left_knee: expected a finite position, or an unlabelled joint, got NaN or "
                         "infinity",
                         pm::DataError);
    CHECK_THROWS_WITH_AS(Meter(name).metric().measure({}, std::vector<pm::Keypoints>(1)),
                         "metrics: expected 0 estimates, one per person, got 1", pm::UsageError);
  }
}

TEST_CASE("pck, pcp: unlabelled joints count for nobody, and what nobody has gives no rate") {
  const pm::JointSet set = pm::lsp_joints();
  Meter pck("pck", set);
  Meter pcp("pcp_strict", set);
  std::vector<pm::Joint> truth;
  for (const pm::Point& point : standing()) truth.push_back({point, pm::JointState::visible});
  const auto found = exactly(standing());
  truth[6] = {};        // the right wrist
  truth[7].weight = 0;  // the right elbow
  truth[6].position = {std::numeric_limits<double>::quiet_NaN(), 0};
  pck.add(truth, found);
  pcp.add(truth, found);
  truth[11] = {};  // of a second person the left wrist, too, which is not found where it is
  auto wrong = found;
  wrong[10].position.x += 1000;
  pck.add(truth, wrong);
  pcp.add(truth, wrong);
  const pm::MetricResult joints = pck.result();
  CHECK(joints.people == 2);
  CHECK(joints.counted == std::vector<int>{2, 2, 2, 2, 2, 2, 0, 0, 2, 2, 2, 1, 2, 2});
  CHECK(joints.right == std::vector<int>{2, 2, 2, 2, 2, 2, 0, 0, 2, 2, 1, 1, 2, 2});
  CHECK(std::isnan(joints.parts[6].value));
  CHECK(joints.groups[2].value == 50);   // elbows: the left one alone
  CHECK(joints.groups[3].value == 100);  // wrists
  CHECK(joints.mean == doctest::Approx((11 * 100 + 50) / 12.0));
  const pm::MetricResult sticks = pcp.result();
  CHECK(sticks.counted == std::vector<int>{2, 2, 2, 2, 2, 2, 0, 2, 0, 1});
  CHECK(sticks.right == std::vector<int>{2, 2, 2, 2, 2, 2, 0, 1, 0, 1});
}

TEST_CASE("pck: by the box, its larger side; people whose measure is unknown are not counted") {
  pm::JointSet set;
  set.name = "arm";
  set.joints = {"base", "tip"};
  set.groups = {{"arm", {0, 1}}};
  set.torso = pm::no_torso;
  CHECK_THROWS_WITH_AS(Meter("pck:torso", set),
                       "metric pck: expected a joint set with a torso, got the joint set arm; measure by the box",
                       pm::UsageError);
  CHECK(Meter("pck@0.1", set).metric().name == "pck@0.1:box");
  Meter pck("pck@0.1:box", set);
  const std::vector<pm::Joint> truth{{{0, 0}, pm::JointState::visible}, {{50, 0}, pm::JointState::occluded}};
  const auto at = [](double x) { return std::vector<pm::Keypoint>{{{x, 0}, 1}, {{50, x}, 1}}; };
  pck.add(truth, at(8), pm::Box{0, 0, 30, 80});     // 8 of 8 allowed
  pck.add(truth, at(8.01), pm::Box{0, 0, 80, 30});  // too far
  pck.add(truth, at(0));                            // no box
  CHECK(pck.result().people == 2);
  CHECK(pck.result().counted == std::vector<int>{2, 2});
  CHECK(pck.result().right == std::vector<int>{1, 1});
  // By the torso, who lacks one of its joints.
  Meter torso("pck");
  std::vector<pm::Joint> person;
  for (const pm::Point& point : standing()) person.push_back({point, pm::JointState::visible});
  person[9] = {};  // the left shoulder
  torso.add(person, exactly(standing()));
  CHECK(torso.result().people == 0);
  CHECK(std::isnan(torso.result().mean));
}

TEST_CASE("pcp: the truth itself scores 100 on ten sticks of six groups") {
  Meter meter("pcp_strict");
  meter.add(standing(), exactly(standing()));
  const auto result = meter.result();
  CHECK(result.parts.size() == 10);
  CHECK(result.groups.size() == 6);
  CHECK(result.mean == 100);
}

TEST_CASE("pcp: strict wants both ends within half the true length, loose their mean") {
  auto predicted = exactly(standing());
  predicted[0].position.x += 20;       // right lower leg is 40 long: one end at exactly half
  predicted[5].position.x += 20.0001;  // left lower leg: one end beyond, the mean at a quarter
  predicted[7].position.x += 100;      // right elbow: upper and lower arm wrong in both
  Meter strict("pcp_strict");
  Meter loose("pcp_loose");
  strict.add(standing(), predicted);
  loose.add(standing(), predicted);
  CHECK(rate(strict.result().groups, "lower_leg") == 50);
  CHECK(rate(loose.result().groups, "lower_leg") == 100);
  CHECK(rate(strict.result().groups, "upper_arm") == 50);
  CHECK(rate(loose.result().groups, "upper_arm") == 50);
  CHECK(rate(strict.result().groups, "lower_arm") == 50);
  CHECK(rate(strict.result().groups, "torso") == 100);
  CHECK(strict.result().mean == doctest::Approx(70));
  CHECK(loose.result().mean == doctest::Approx(80));
}

TEST_CASE("pcp: the torso runs between the middles of hips and shoulders, and needs all four") {
  // True torso: (20, 120) to (20, 80), 40 long. Hips wrong by +30 and -30 have a middle without error.
  auto predicted = exactly(standing());
  predicted[2].position.x += 30;
  predicted[3].position.x -= 30;
  Meter moved("pcp_strict");
  moved.add(standing(), predicted);
  CHECK(rate(moved.result().groups, "torso") == 100);
  CHECK(rate(moved.result().groups, "upper_leg") == 0);
  predicted = exactly(standing());
  predicted[2].position.x += 41;  // the middle moves 20.5
  Meter beyond("pcp_strict");
  beyond.add(standing(), predicted);
  CHECK(rate(beyond.result().groups, "torso") == 0);
  predicted = exactly(standing());
  predicted[9] = {};
  Meter missing("pcp_strict");
  Meter missing_loose("pcp_loose");
  missing.add(standing(), predicted);
  missing_loose.add(standing(), predicted);
  CHECK(rate(missing.result().groups, "torso") == 0);
  CHECK(rate(missing_loose.result().groups, "torso") == 0);
  CHECK(rate(missing.result().groups, "upper_arm") == 50);
}

TEST_CASE("pcp: a true stick of length 0 leaves only exact hits right") {
  auto truth = standing();
  truth[13] = truth[12];
  auto predicted = exactly(truth);
  Meter meter("pcp_strict");
  meter.add(truth, predicted);
  CHECK(rate(meter.result().groups, "head") == 100);
  predicted[13].position.x += 1e-9;
  meter.add(truth, predicted);
  CHECK(rate(meter.result().groups, "head") == 50);
}

TEST_CASE("pcp: group rates weigh sticks alike, so the published means follow from the published groups") {
  // 98.0, 95.0, 92.2, 89.05, 85.75, 77.95 have the mean 88.29 over ten sticks: torso and head once, the others twice.
  const auto result = Meter("pcp_strict").result();
  std::map<std::string, int> sticks;
  for (const auto& r : result.parts) ++sticks[r.name];
  const std::map<std::string, double> published{{"torso", 98.0},      {"head", 95.0},       {"upper_leg", 92.2},
                                                {"lower_leg", 89.05}, {"upper_arm", 85.75}, {"lower_arm", 77.95}};
  double sum = 0;
  for (const auto& [name, percent] : published) sum += percent * sticks[name];
  CHECK(sum / 10 == doctest::Approx(88.29).epsilon(1e-4));
}

TEST_CASE("pcp: a stick without an end is refused") {
  auto set = pm::lsp_joints();
  set.sticks[3].to.clear();
  CHECK_THROWS_AS(Meter("pcp_strict", set), pm::ModelError);
  set.sticks.clear();
  CHECK_THROWS_WITH_AS(Meter("pcp_loose", set),
                       doctest::Contains("expected a joint set with sticks, got the joint set lsp"), pm::UsageError);
}

TEST_CASE("pck: the pooled figure counts every joint of every person alike, the mean every joint") {
  Meter meter("pck");
  std::vector<pm::Joint> truth;
  for (const pm::Point& point : standing()) truth.push_back({point, pm::JointState::visible});
  auto wrong = exactly(standing());
  wrong[6].position.x += 1000;
  meter.add(truth, exactly(standing()));
  truth[0] = {};
  meter.add(truth, wrong);
  CHECK(meter.result().pooled == doctest::Approx(100.0 * 26 / 27));
  CHECK(meter.result().mean == doctest::Approx(100.0 * 13.5 / 14));
}

TEST_CASE("pckh: within half of the head length that the annotation gives; pelvis and thorax do not count") {
  const pm::JointSet set =
      pm::joint_set_from_names("mpii", {"head_top", "pelvis", "thorax", "left_knee", "right_knee"});
  Meter meter("pckh", set);
  const std::vector<pm::Joint> truth(5, {{100, 100}, pm::JointState::visible});
  pm::Keypoints estimate(5, {{100, 110}, 1});
  estimate[3].position = {110.01, 100};
  estimate[1] = estimate[2] = {};
  meter.add({0, truth, {}, {}, 20, {}}, estimate);  // 10 of 10 allowed
  meter.add({1, truth, {}, {}, {}, {}}, estimate);  // nobody knows
  const pm::MetricResult result = meter.result();
  CHECK(result.people == 1);
  CHECK(result.counted == std::vector<int>{1, 0, 0, 1, 1});
  CHECK(result.right == std::vector<int>{1, 0, 0, 0, 1});
  CHECK(result.group("knee") == 50);
  CHECK(std::isnan(result.group("pelvis")));
  CHECK(std::isnan(result.group("no such group")));
  CHECK(result.mean == doctest::Approx(200.0 / 3));
  CHECK(meter.metric().name == "pckh@0.5:head");
  CHECK(meter.metric().heading == "PCKh@0.5 of the head");
  CHECK_FALSE(meter.metric().can_measure({0, truth, {}, {}, {}, {}}));
}

TEST_CASE("pdj: equals PCK by the torso; pck by the image: its larger side") {
  Meter pck("pck@0.3"), pdj("pdj@0.3"), image("pck@0.01:image");
  std::uint32_t state = 11;
  for (int person = 0; person < 9; ++person) {
    auto estimate = exactly(standing());
    for (pm::Keypoint& keypoint : estimate) keypoint.position.x += uniform(state, -25, 25);
    pck.add(standing(), estimate);
    pdj.add(standing(), estimate);
  }
  CHECK(pdj.result().right == pck.result().right);
  CHECK(pdj.result().mean > 10);
  CHECK(pdj.result().mean < 90);
  pm::MeasuredPerson person{0, std::vector<pm::Joint>(14, {{5, 5}, pm::JointState::visible}), {}, 300, {}, {}};
  pm::Keypoints estimate(14, {{8, 5}, 1});
  estimate[13].position.y = 5.1;
  image.add(person, estimate);
  CHECK(image.result().right == std::vector<int>{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0});
}

TEST_CASE("epe: the mean distance of what was found, in pixels or in percent of a length") {
  Meter pixels("epe"), box("epe:box");
  auto near = exactly(standing()), far = near;
  near[12].position.x += 3;
  near[12].position.y += 4;
  far[12].position.x += 20;
  far[13] = {};
  for (Meter* const meter : {&pixels, &box}) {
    std::vector<pm::Joint> truth;
    for (const pm::Point& point : standing()) truth.push_back({point, pm::JointState::visible});
    meter->add(truth, near, pm::Box{0, 0, 50, 200});
    meter->add(truth, far, pm::Box{0, 0, 100, 20});
  }
  const pm::MetricResult result = pixels.result();
  CHECK(rate(result.parts, "neck") == 12.5);
  CHECK(rate(result.parts, "head_top") == 0);
  CHECK(rate(result.groups, "head") == 6.25);
  CHECK(result.counted[13] == 2);
  CHECK(result.right[13] == 1);
  CHECK(result.mean == doctest::Approx(12.5 / 14));
  CHECK(result.pooled == doctest::Approx(25.0 / 27));
  CHECK(rate(box.result().parts, "neck") == doctest::Approx((2.5 + 20) / 2));
  CHECK(pixels.metric().unit == "px");
  CHECK(box.metric().unit == "%");
}

TEST_CASE("auc: the trapezoid under PCK's curve of 51 thresholds, by the naive way") {
  std::uint32_t state = 5;
  Meter area("auc@0.4");
  std::vector<Meter> curve;
  for (int k = 1; k <= 50; ++k) curve.emplace_back("pck@" + std::to_string(0.4 * k / 50));
  double exact = 0;  // PCK at 0
  for (int person = 0; person < 20; ++person) {
    auto estimate = exactly(standing());
    for (pm::Keypoint& keypoint : estimate) {
      keypoint.position.x += uniform(state, -30, 30);
      if (uniform(state, 0, 1) < 0.1) keypoint = {};
    }
    if (person == 3) estimate = exactly(standing());
    exact += person == 3 ? 100.0 / 20 : 0;
    area.add(standing(), estimate);
    for (Meter& meter : curve) meter.add(standing(), estimate);
  }
  double sum = 0, before = exact;
  for (const Meter& meter : curve) {
    const double now = meter.result().mean;
    sum += (before + now) / 2 / 50;
    before = now;
  }
  CHECK(area.result().mean == doctest::Approx(sum));
  CHECK(sum > 10);
  CHECK(sum < 90);
  Meter perfect("auc");
  perfect.add(standing(), exactly(standing()));
  CHECK(perfect.result().mean == 100);
  CHECK(perfect.result().pooled == 100);
}

TEST_CASE("MetricKinds: names are taken apart, what is absent is filled in, and what cannot be is refused in words") {
  const pm::MetricKinds known;
  const pm::JointSet lsp = pm::lsp_joints();
  CHECK(known.make("pck", lsp).name == "pck@0.2:torso");
  CHECK(known.make("pck@0.05:image", lsp).name == "pck@0.05:image");
  CHECK(known.make("pck@1e-7", lsp).name == "pck@1e-07:torso");
  CHECK(known.make("auc:box", lsp).name == "auc@0.5:box");
  CHECK(known.make("epe", lsp).name == "epe");
  CHECK(known.make("pcp_loose@0.3", lsp).heading == "loose PCP@0.3");
  CHECK(known.make(known.make("epe:head", lsp).name, lsp).name == "epe:head");
  const auto refused = [&](const std::string& text, const std::string& message) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(known.make(text, lsp), doctest::Contains(message.c_str()), pm::UsageError);
  };
  refused("pkc", "expected one of pck, pckh, pdj, auc, epe, pcp_strict, pcp_loose, oks, ece, got");
  refused("pkc", "did you mean \"pck\"?");
  refused("", "got \"\"");
  refused("pck@", "metric \"pck@\": expected a threshold above 0, got \"\"");
  refused("pck@0", "a threshold above 0");
  refused("pck@-1", "a threshold above 0");
  refused("pck@nan", "a threshold above 0");
  refused("pck@0.2x", "a threshold above 0");
  refused("pck@1e999", "a threshold above 0");
  refused("epe@0.2", "expected no threshold, got \"0.2\"");
  refused("pck:", "expected one of torso, box, head, image, got \"\"");
  refused("pck:hip", "got \"hip\"");
  refused("pckh:torso", "expected one of head");
  refused("pcp_strict:torso", "expected no normaliser");
  refused("pck@1e7", "expected a threshold above 0, up to a million, got 1e+07");
  refused("pcp_strict@2e6", "expected a threshold above 0, up to a million, got 2e+06");
  CHECK_THROWS_AS(known.make({"pdj", 0.5, "box"}, lsp), pm::UsageError);
  CHECK_THROWS_AS(known.make({"epe", 0.2, ""}, lsp), pm::UsageError);
  refused("oks", "metric oks: expected a joint set with sigmas, got the joint set lsp; add \"sigmas\"");
  // docs: begin own_metric
  const pm::MetricKind found{.name = "found",
                             .normalisers = "",
                             .has_threshold = false,
                             .does = "joints that were found at all",
                             .make = [](pm::MetricSpec spec, const pm::JointSet&) {
                               pm::Metric metric;
                               metric.name = metric.key = metric.title = metric.heading = spec.kind;
                               metric.can_measure = [](const pm::MeasuredPerson&) { return true; };
                               metric.measure = [](std::span<const pm::MeasuredPerson> people,
                                                   std::span<const pm::Keypoints> estimates) {
                                 pm::MetricResult result;
                                 result.people = static_cast<int>(people.size());
                                 double count = 0, all = 0;
                                 for (const pm::Keypoints& estimate : estimates) {
                                   for (const pm::Keypoint& keypoint : estimate) {
                                     count += keypoint.found() ? 1 : 0;
                                     ++all;
                                   }
                                 }
                                 result.mean = 100 * count / all;
                                 return result;
                               };
                               return metric;
                             }};
  const pm::MetricKinds kinds{found};
  const pm::Metric metric = kinds.make("found", pm::lsp_joints());
  // docs: end own_metric
  CHECK(metric.measure(std::vector<pm::MeasuredPerson>(1), std::vector<pm::Keypoints>{exactly(standing())}).mean ==
        100);
  CHECK(kinds.all().size() == pm::MetricKinds().all().size() + 1);
  pm::MetricKind wrong = found;
  wrong.name = "pck";
  CHECK_THROWS_AS(pm::MetricKinds{wrong}, pm::UsageError);
  wrong.name = "people";
  CHECK_THROWS_AS(pm::MetricKinds{wrong}, pm::UsageError);
  wrong.name = "a:b";
  CHECK_THROWS_AS(pm::MetricKinds{wrong}, pm::UsageError);
  wrong = found;
  wrong.make = nullptr;
  CHECK_THROWS_AS(pm::MetricKinds{wrong}, pm::UsageError);
}

TEST_CASE("default_metrics: what the joint set and the annotation allow") {
  const auto names = [](const pm::JointSet& joints, const std::vector<pm::MeasuredPerson>& people) {
    std::string text;
    for (const pm::Metric& metric : pm::default_metrics(joints, people)) text += metric.name + " ";
    return text;
  };
  const std::vector<pm::Joint> lsp(14, {{1, 2}, pm::JointState::visible});
  const std::vector<pm::Joint> two(2, {{1, 2}, pm::JointState::visible});
  CHECK(names(pm::lsp_joints(), {}) == "pck@0.2:torso ");
  CHECK(names(pm::lsp_joints(), {{0, std::vector<pm::Joint>(14), {}, {}, {}, {}}}) == "pck@0.2:torso ");
  CHECK(names(pm::lsp_joints(), {{0, lsp, {}, {}, 12.5, 100}}) == "pck@0.2:torso pcp_strict@0.5 pckh@0.5:head ");
  const pm::JointSet knees = pm::joint_set_from_names("knees", {"left_knee", "right_knee"});
  CHECK(knees.sigmas == std::vector<double>{0.087, 0.087});
  CHECK(names(knees, {{0, two, {}, {}, {}, {}}}) == "pck@0.2:box ");
  CHECK(names(knees, {{0, two, {}, {}, {}, {}}, {0, two, {}, {}, {}, 50}}) == "pck@0.2:box oks:area ");
}

}  // namespace metrics_test
