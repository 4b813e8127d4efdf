// PCK and PCP against rates counted by hand and by a naive loop.
#include <posemachine/pose/metrics.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace metrics_test {

namespace pm = posemachine;

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

double rate(const std::vector<pm::Rate>& rates, const std::string& name) {
  for (const pm::Rate& r : rates) {
    if (r.name == name) return r.percent;
  }
  FAIL("no rate named " << name);
  return 0;
}

double uniform(std::uint32_t& state, double low, double high) {
  state = state * 1664525u + 1013904223u;
  return low + (high - low) * (state >> 8) * 0x1p-24;
}

}  // namespace

TEST_CASE("PckMeter: the truth itself scores 100 everywhere") {
  pm::PckMeter meter(pm::lsp_joints());
  meter.add(standing(), exactly(standing()));
  const auto result = meter.result();
  CHECK(result.people == 1);
  CHECK(result.mean == 100);
  REQUIRE(result.parts.size() == 14);
  REQUIRE(result.groups.size() == 7);
  for (const auto& r : result.groups) CHECK(r.percent == 100);
}

TEST_CASE("PckMeter: a joint is right at exactly 0.2 of left shoulder to right hip and wrong beyond") {
  auto predicted = exactly(standing());
  predicted[13].position.x += 10;             // 0.2 * 50: right
  predicted[6].position.y += 10.0001;         // wrong
  predicted[0].position = {10 + 6, 200 + 8};  // 10 away: right
  predicted[4] = {};                          // missing: wrong
  pm::PckMeter meter(pm::lsp_joints());
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
  pm::PckMeter half(pm::lsp_joints(), 0.5);
  half.add(standing(), predicted);
  CHECK(half.threshold() == 0.5);
  CHECK(rate(half.result().parts, "right_wrist") == 100);
}

TEST_CASE("PckMeter: the torso is the truth's, whatever the estimate's") {
  auto predicted = exactly(standing());
  predicted[2].position = {2000, 2000};  // an estimate with a huge torso
  predicted[13].position.x += 15;
  pm::PckMeter meter(pm::lsp_joints());
  meter.add(standing(), predicted);
  CHECK(rate(meter.result().parts, "head_top") == 0);
  CHECK(rate(meter.result().parts, "right_hip") == 0);
}

TEST_CASE("PckMeter: sides swapped are wrong") {
  const auto truth = standing();
  auto predicted = exactly(truth);
  for (const auto& [left, right] : pm::lsp_joints().pairs) {
    std::swap(predicted[std::size_t(left)], predicted[std::size_t(right)]);
  }
  pm::PckMeter meter(pm::lsp_joints());
  meter.add(truth, predicted);
  CHECK(meter.result().mean == doctest::Approx(100.0 * 2 / 14));  // neck and head top
}

TEST_CASE("PckMeter: rates over many people equal a naive count") {
  const auto set = pm::lsp_joints();
  pm::PckMeter meter(set, 0.3);
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
    CHECK(result.parts[j].percent == doctest::Approx(100.0 * right[j] / 37));
    sum += 100.0 * right[j] / 37;
  }
  CHECK(result.mean == doctest::Approx(sum / 14));
  CHECK(result.mean > 10);
  CHECK(result.mean < 90);
  CHECK(rate(result.groups, "elbow") == doctest::Approx(100.0 * (right[7] + right[10]) / 74));
  CHECK(rate(result.groups, "head") == doctest::Approx(100.0 * (right[12] + right[13]) / 74));
}

TEST_CASE("PckMeter: a true torso of length 0 leaves only exact hits right, and everyone is still counted") {
  auto truth = standing();
  truth[9] = truth[2];
  auto predicted = exactly(truth);
  predicted[0].position.x += 1e-6;
  pm::PckMeter meter(pm::lsp_joints());
  meter.add(truth, predicted);
  CHECK(rate(meter.result().parts, "right_ankle") == 0);
  CHECK(rate(meter.result().parts, "left_ankle") == 100);
  CHECK(meter.result().people == 1);
}

TEST_CASE("PckMeter: nobody counted gives NaN, not 0") {
  const auto result = pm::PckMeter(pm::lsp_joints()).result();
  CHECK(result.people == 0);
  CHECK(std::isnan(result.mean));
  CHECK(std::isnan(result.groups[0].percent));
}

TEST_CASE("PckMeter: other numbers of joints, a truth without a position and a threshold of 0 are refused") {
  pm::PckMeter meter(pm::lsp_joints());
  auto short_truth = standing();
  short_truth.pop_back();
  CHECK_THROWS_AS(meter.add(short_truth, exactly(standing())), pm::UsageError);
  CHECK_THROWS_AS(meter.add(standing(), exactly(short_truth)), pm::UsageError);
  auto unlabelled = standing();
  unlabelled[4].y = std::nan("");
  CHECK_THROWS_WITH_AS(meter.add(unlabelled, exactly(standing())),
                       "metrics: truth of left_knee: expected a finite position, or an unlabelled joint, got NaN or "
                       "infinity",
                       pm::DataError);
  CHECK(meter.result().people == 0);
  CHECK_THROWS_AS(pm::PckMeter(pm::lsp_joints(), 0.0), pm::UsageError);
}

TEST_CASE("PckMeter, PcpMeter: counts of two groups of people add up to what all of them give, to the last bit") {
  const auto set = pm::lsp_joints();
  pm::PckMeter pck(set), pck_first(set), pck_second(set), pck_merged(set);
  pm::StrictPcpMeter pcp(set), pcp_first(set), pcp_second(set), pcp_merged(set);
  std::uint32_t state = 7;
  for (int person = 0; person < 13; ++person) {
    auto predicted = exactly(standing());
    for (pm::Keypoint& keypoint : predicted) keypoint.position.x += uniform(state, -25, 25);
    pck.add(standing(), predicted);
    pcp.add(standing(), predicted);
    (person < 5 ? pck_first : pck_second).add(standing(), predicted);
    (person < 5 ? pcp_first : pcp_second).add(standing(), predicted);
  }
  for (const auto& part : {pck_first.result(), pm::PckMeter(set).result(), pck_second.result()}) {
    pck_merged.add(part.people, part.counted, part.right);
  }
  for (const auto& part : {pcp_first.result(), pcp_second.result()})
    pcp_merged.add(part.people, part.counted, part.right);
  for (const auto& [whole, merged] :
       {std::pair(pck.result(), pck_merged.result()), std::pair(pcp.result(), pcp_merged.result())}) {
    CHECK(whole.people == 13);
    CHECK(merged.people == 13);
    CHECK(merged.right == whole.right);
    CHECK(merged.parts == whole.parts);
    CHECK(merged.groups == whole.groups);
    CHECK(merged.mean == whole.mean);
    CHECK(whole.mean > 10);
    CHECK(whole.mean < 90);
    for (std::size_t part = 0; part < whole.parts.size(); ++part) {
      CHECK(whole.parts[part].percent == doctest::Approx(100.0 * whole.right[part] / 13));
    }
  }
}

TEST_CASE("PckMeter, PcpMeter: unlabelled joints count for nobody, and what nobody has gives no rate") {
  const pm::JointSet set = pm::lsp_joints();
  pm::PckMeter pck(set);
  pm::StrictPcpMeter pcp(set);
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
  CHECK(std::isnan(joints.parts[6].percent));
  CHECK(joints.groups[2].percent == 50);   // elbows: the left one alone
  CHECK(joints.groups[3].percent == 100);  // wrists
  CHECK(joints.mean == doctest::Approx((11 * 100 + 50) / 12.0));
  const pm::MetricResult sticks = pcp.result();
  CHECK(sticks.counted == std::vector<int>{2, 2, 2, 2, 2, 2, 0, 2, 0, 1});
  CHECK(sticks.right == std::vector<int>{2, 2, 2, 2, 2, 2, 0, 1, 0, 1});
}

TEST_CASE("PckMeter: by the box, its larger side; people whose measure is unknown are not counted") {
  pm::JointSet set;
  set.name = "arm";
  set.joints = {"base", "tip"};
  set.groups = {{"arm", {0, 1}}};
  set.torso = pm::no_torso;
  CHECK_THROWS_WITH_AS(pm::PckMeter(set, 0.1),
                       "PCK: expected a joint set with a torso, got the joint set arm; measure by the box",
                       pm::UsageError);
  pm::PckMeter pck(set, 0.1, pm::PckNormaliser::box);
  const std::vector<pm::Joint> truth{{{0, 0}, pm::JointState::visible}, {{50, 0}, pm::JointState::occluded}};
  const auto at = [](double x) { return std::vector<pm::Keypoint>{{{x, 0}, 1}, {{50, x}, 1}}; };
  pck.add(truth, at(8), pm::Box{0, 0, 30, 80});     // 8 of 8 allowed
  pck.add(truth, at(8.01), pm::Box{0, 0, 80, 30});  // too far
  pck.add(truth, at(0));                            // no box
  CHECK(pck.result().people == 2);
  CHECK(pck.result().counted == std::vector<int>{2, 2});
  CHECK(pck.result().right == std::vector<int>{1, 1});
  // By the torso, who lacks one of its joints.
  pm::PckMeter torso(pm::lsp_joints());
  std::vector<pm::Joint> person;
  for (const pm::Point& point : standing()) person.push_back({point, pm::JointState::visible});
  person[9] = {};  // the left shoulder
  torso.add(person, exactly(standing()));
  CHECK(torso.result().people == 0);
  CHECK(std::isnan(torso.result().mean));
}

TEST_CASE("PckMeter, PcpMeter: counts that cannot be are refused and change nothing") {
  pm::PckMeter pck(pm::lsp_joints());
  pm::StrictPcpMeter pcp(pm::lsp_joints());
  const std::vector<int> all(14, 3);
  CHECK_THROWS_WITH_AS(pck.add(3, std::vector<int>(13, 3), std::vector<int>(13, 1)),
                       "metrics: expected 14 counts from 0 to the number of people, got 13 for 3 people",
                       pm::UsageError);
  CHECK_THROWS_AS(pck.add(3, all, std::vector<int>(14, 4)), pm::UsageError);
  CHECK_THROWS_AS(pck.add(3, all, std::vector<int>(14, -1)), pm::UsageError);
  CHECK_THROWS_AS(pck.add(-1, std::vector<int>(14, -1), std::vector<int>(14, -1)), pm::UsageError);
  CHECK_THROWS_AS(pcp.add(1, std::vector<int>(14, 1), std::vector<int>(14, 1)), pm::UsageError);
  CHECK_THROWS_AS(pck.add(2, all, std::vector<int>(14, 1)), pm::UsageError);
  CHECK(pck.result().people == 0);
  CHECK(pcp.result().people == 0);
  const std::vector<int> none(14, 0);
  pck.add(2'147'483'647, none, none);
  CHECK_THROWS_WITH_AS(pck.add(1, std::vector<int>(14, 1), std::vector<int>(14, 1)),
                       doctest::Contains("at most 2147483647 people"), pm::UsageError);
  CHECK(pck.result().right == std::vector<int>(14, 0));
}

TEST_CASE("PcpMeter: the truth itself scores 100 on ten sticks of six groups") {
  pm::StrictPcpMeter meter(pm::lsp_joints());
  meter.add(standing(), exactly(standing()));
  const auto result = meter.result();
  CHECK(result.parts.size() == 10);
  CHECK(result.groups.size() == 6);
  CHECK(result.mean == 100);
}

TEST_CASE("PcpMeter: strict wants both ends within half the true length, loose their mean") {
  auto predicted = exactly(standing());
  predicted[0].position.x += 20;       // right lower leg is 40 long: one end at exactly half
  predicted[5].position.x += 20.0001;  // left lower leg: one end beyond, the mean at a quarter
  predicted[7].position.x += 100;      // right elbow: upper and lower arm wrong in both
  pm::StrictPcpMeter strict(pm::lsp_joints());
  pm::LoosePcpMeter loose(pm::lsp_joints());
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

TEST_CASE("PcpMeter: the torso runs between the middles of hips and shoulders, and needs all four") {
  // True torso: (20, 120) to (20, 80), 40 long. Hips wrong by +30 and -30 have a middle without error.
  auto predicted = exactly(standing());
  predicted[2].position.x += 30;
  predicted[3].position.x -= 30;
  pm::StrictPcpMeter moved(pm::lsp_joints());
  moved.add(standing(), predicted);
  CHECK(rate(moved.result().groups, "torso") == 100);
  CHECK(rate(moved.result().groups, "upper_leg") == 0);
  predicted = exactly(standing());
  predicted[2].position.x += 41;  // the middle moves 20.5
  pm::StrictPcpMeter beyond(pm::lsp_joints());
  beyond.add(standing(), predicted);
  CHECK(rate(beyond.result().groups, "torso") == 0);
  predicted = exactly(standing());
  predicted[9] = {};
  pm::StrictPcpMeter missing(pm::lsp_joints());
  pm::LoosePcpMeter missing_loose(pm::lsp_joints());
  missing.add(standing(), predicted);
  missing_loose.add(standing(), predicted);
  CHECK(rate(missing.result().groups, "torso") == 0);
  CHECK(rate(missing_loose.result().groups, "torso") == 0);
  CHECK(rate(missing.result().groups, "upper_arm") == 50);
}

TEST_CASE("PcpMeter: a true stick of length 0 leaves only exact hits right") {
  auto truth = standing();
  truth[13] = truth[12];
  auto predicted = exactly(truth);
  pm::StrictPcpMeter meter(pm::lsp_joints());
  meter.add(truth, predicted);
  CHECK(rate(meter.result().groups, "head") == 100);
  predicted[13].position.x += 1e-9;
  meter.add(truth, predicted);
  CHECK(rate(meter.result().groups, "head") == 50);
}

TEST_CASE("PcpMeter: group rates weigh sticks alike, so the published means follow from the published groups") {
  // 98.0, 95.0, 92.2, 89.05, 85.75, 77.95 have the mean 88.29 over ten sticks: torso and head once, the others twice.
  const auto result = pm::StrictPcpMeter(pm::lsp_joints()).result();
  std::map<std::string, int> sticks;
  for (const auto& r : result.parts) ++sticks[r.name];
  const std::map<std::string, double> published{{"torso", 98.0},      {"head", 95.0},       {"upper_leg", 92.2},
                                                {"lower_leg", 89.05}, {"upper_arm", 85.75}, {"lower_arm", 77.95}};
  double sum = 0;
  for (const auto& [name, percent] : published) sum += percent * sticks[name];
  CHECK(sum / 10 == doctest::Approx(88.29).epsilon(1e-4));
}

TEST_CASE("PcpMeter: a stick without an end is refused") {
  auto set = pm::lsp_joints();
  set.sticks[3].to.clear();
  CHECK_THROWS_AS(pm::StrictPcpMeter{set}, pm::ModelError);
}

}  // namespace metrics_test
