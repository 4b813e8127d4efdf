// Limb fields and joint offsets: drawn, mirrored, and decoded again.
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/map.hpp>
#include <posemachine/pose/decoded.hpp>
#include <posemachine/pose/formats/json.hpp>
#include <posemachine/pose/joint_offsets.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/limb_fields.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/pose/output_decoders/limb_scores.hpp>
#include <posemachine/pose/output_decoders/output_decoder.hpp>
#include <posemachine/pose/output_decoders/output_decoders.hpp>
#include <posemachine/pose/output_decoders/refined_joints.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/pose/targets.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace fields_test {

namespace pm = posemachine;

namespace {

constexpr pm::Size map{12, 16};
constexpr double stride = 4;
constexpr std::size_t cells = 12 * 16;

struct Drawn {
  std::vector<float> maps, weights;
  float at(int channel, int x, int y) const {
    return maps[std::size_t(channel) * cells + std::size_t(y) * std::size_t(map.width) + std::size_t(x)];
  }
};

using Draw = void (*)(std::span<const pm::Joint>, const pm::JointSet&, pm::Size, double, std::span<float>,
                      std::span<float>);

Drawn drawn(Draw draw, int channels, const std::vector<pm::Joint>& joints, const pm::JointSet& set) {
  Drawn into{std::vector<float>(std::size_t(channels) * cells, 7.0f), std::vector<float>(std::size_t(channels), 7.0f)};
  draw(joints, set, map, stride, into.maps, into.weights);
  return into;
}
Drawn fields_of(const std::vector<pm::Joint>& joints, const pm::JointSet& set) {
  return drawn(pm::draw_limb_fields, pm::limb_field_channels(set), joints, set);
}
Drawn offsets_of(const std::vector<pm::Joint>& joints, const pm::JointSet& set) {
  return drawn(pm::draw_joint_offsets, pm::joint_offset_channels(set), joints, set);
}

pm::JointSet stick() {
  pm::JointSet set;
  set.name = "stick";
  set.joints = {"a", "b"};
  set.limbs = {{0, 1, {}}};
  return set;
}

std::vector<pm::Joint> ends(pm::Point a, pm::Point b) {
  return {{a, pm::JointState::visible}, {b, pm::JointState::visible}};
}

// Fourteen joints anywhere, in eighths of a pixel: their mirror images are exact.
std::vector<pm::Joint> lsp_person(unsigned seed) {
  std::vector<pm::Joint> joints;
  const auto below = [&](unsigned limit) { return ((seed = seed * 1664525u + 1013904223u) >> 8) % limit; };
  for (int j = 0; j < 14; ++j) {
    const pm::Point at{below(64 * 8) / 8.0, below(48 * 8) / 8.0};
    joints.push_back({at, j == 3 ? pm::JointState::unlabelled : pm::JointState::visible, j == 8 ? 0.5f : 1.0f});
  }
  return joints;
}

// As joints_in_input() gives those of a mirrored sample.
std::vector<pm::Joint> mirrored(const std::vector<pm::Joint>& joints, const pm::JointSet& set) {
  const std::vector<int> to = pm::mirror(set);
  std::vector<pm::Joint> turned(joints.size());
  for (std::size_t j = 0; j < joints.size(); ++j) {
    pm::Joint joint = joints[j];
    joint.position.x = map.width * stride - 1 - joint.position.x;
    turned[std::size_t(to[j])] = joint;
  }
  return turned;
}

// The maps of a picture turned left to right: x is negated, `other` has what `channel` had.
bool are_mirrored(const Drawn& one, int channel, const Drawn& two, int other, bool reversed = false) {
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      const float sign = reversed ? -1.0f : 1.0f;
      if (two.at(other, map.width - 1 - x, y) != -sign * one.at(channel, x, y)) return false;
      if (two.at(other + 1, map.width - 1 - x, y) != sign * one.at(channel + 1, x, y)) return false;
    }
  }
  return one.weights[std::size_t(channel)] == two.weights[std::size_t(other)];
}

const pm::Affine twice{2, 0, 10, 0, 2, 20};

pm::OutputMaps output(const Drawn& of, const std::vector<pm::Keypoint>& keypoints, const pm::JointSet& set,
                      const pm::Affine& to_image = twice) {
  const pm::MapView<const float> view(of.maps.data(), int(of.weights.size()), map.height, map.width);
  return {"o", "r", view, stride, keypoints, set, to_image, {48, 64}, {200, 300}};
}

std::vector<pm::Keypoint> found(const std::vector<pm::Joint>& joints) {
  std::vector<pm::Keypoint> keypoints;
  for (const pm::Joint& joint : joints) keypoints.push_back({joint.position, 0.75});
  return keypoints;
}

}  // namespace

TEST_CASE("limb_fields: the unit vector in cells within a cell of the segment, 0 elsewhere") {
  const Drawn field = fields_of(ends({10, 12}, {37, 33}), stick());
  int inside = 0;
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      // The nearest of 100,000 points of the segment, in place of a projection.
      double nearest = 1e9;
      for (int i = 0; i <= 100000; ++i) {
        const pm::Point at{10 + 27 * i / 1e5, 12 + 21 * i / 1e5};
        nearest = std::min(nearest, pm::distance(at, {pm::cell_centre(x, stride), pm::cell_centre(y, stride)}));
      }
      if (std::abs(nearest - 4) < 1e-3) continue;
      const bool within = nearest < 4;
      inside += within;
      CHECK(field.at(0, x, y) == doctest::Approx(within ? 27 / std::hypot(27, 21) : 0));
      CHECK(field.at(1, x, y) == doctest::Approx(within ? 21 / std::hypot(27, 21) : 0));
    }
  }
  CHECK(inside > 15);
  CHECK(field.weights == std::vector<float>{1, 1});
}

TEST_CASE("limb_fields: a limb weighs what its lighter end does, and nothing without both or without a length") {
  std::vector<pm::Joint> joints = ends({10, 12}, {37, 33});
  joints[1].weight = 0.25f;
  CHECK(fields_of(joints, stick()).weights == std::vector<float>{0.25f, 0.25f});
  joints[0] = {};
  const Drawn unlabelled = fields_of(joints, stick());
  CHECK(unlabelled.weights == std::vector<float>{0, 0});
  CHECK(std::all_of(unlabelled.maps.begin(), unlabelled.maps.end(), [](float value) { return value == 0; }));
  CHECK(fields_of(ends({9, 9}, {9, 9}), stick()).weights == std::vector<float>{0, 0});
  joints = ends({10, 12}, {std::numeric_limits<double>::quiet_NaN(), 3});
  CHECK_THROWS_WITH_AS(fields_of(joints, stick()), doctest::Contains("finite positions"), pm::DataError);
  CHECK_THROWS_WITH_AS(drawn(pm::draw_limb_fields, 3, ends({1, 1}, {2, 2}), stick()),
                       doctest::Contains("2 joints and 2 channels, as the joint set stick has, got 2 and 3"),
                       pm::UsageError);
}

TEST_CASE("joint_offsets: the way to the joint in units of 4 cells within 4 cells, 0 elsewhere") {
  const Drawn offsets = offsets_of(ends({20, 22}, {-3, 90}), stick());
  int inside = 0;
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      const double dx = 20 - (1.5 + 4 * x), dy = 22 - (1.5 + 4 * y);
      const bool within = dx * dx + dy * dy <= 256;
      inside += within;
      CHECK(offsets.at(0, x, y) == (within ? float(dx / 16) : 0.0f));
      CHECK(offsets.at(1, x, y) == (within ? float(dy / 16) : 0.0f));
      CHECK(offsets.at(2, x, y) == 0);  // of the joint that is far outside
    }
  }
  CHECK(inside > 40);
  std::vector<pm::Joint> joints = ends({20, 22}, {30, 30});
  joints[0].weight = 0.5f;
  joints[1] = {};
  CHECK(offsets_of(joints, stick()).weights == std::vector<float>{0.5f, 0.5f, 0, 0});
}

TEST_CASE("fields: those drawn of a mirrored sample are the mirror images of those drawn, sides exchanged") {
  const pm::JointSet set = pm::lsp_joints();
  const std::vector<int> to = pm::mirror(set);
  for (unsigned seed = 1; seed < 6; ++seed) {
    const std::vector<pm::Joint> joints = lsp_person(seed), turned = mirrored(joints, set);
    const Drawn offsets = offsets_of(joints, set), other_offsets = offsets_of(turned, set);
    for (int j = 0; j < 14; ++j) CHECK(are_mirrored(offsets, 2 * j, other_offsets, 2 * to[std::size_t(j)]));
    const Drawn fields = fields_of(joints, set), other_fields = fields_of(turned, set);
    for (std::size_t l = 0; l < set.limbs.size(); ++l) {
      const int from = to[std::size_t(set.limbs[l].from)], end = to[std::size_t(set.limbs[l].to)];
      const auto same = std::find_if(set.limbs.begin(), set.limbs.end(), [&](const pm::Limb& limb) {
        return (limb.from == from && limb.to == end) || (limb.from == end && limb.to == from);
      });
      REQUIRE(same != set.limbs.end());
      CHECK(are_mirrored(fields, int(2 * l), other_fields, int(2 * (same - set.limbs.begin())), same->from != from));
    }
  }
}

TEST_CASE("limb_scores: 1 along a drawn limb, the cosine of one that turns, NaN without two joints") {
  const std::vector<pm::Joint> joints = ends({10, 12}, {37, 33});
  const Drawn field = fields_of(joints, stick());
  std::vector<pm::Keypoint> keypoints = found(joints);
  const auto score = [&] { return pm::limb_scores(output(field, keypoints, stick())).at(0).second; };
  CHECK(pm::limb_scores(output(field, keypoints, stick())).at(0).first == "a-b");
  CHECK(score() == doctest::Approx(1).epsilon(1e-6));
  std::swap(keypoints[0], keypoints[1]);
  CHECK(score() == doctest::Approx(-1).epsilon(1e-6));
  keypoints[0].position = keypoints[1].position;
  CHECK(std::isnan(score()));
  keypoints[0] = {};
  CHECK(std::isnan(score()));

  // A field of one direction all over: the score is the cosine of the angle to it.
  Drawn even = field;
  std::fill(even.maps.begin(), even.maps.begin() + cells, 0.6f);
  std::fill(even.maps.begin() + cells, even.maps.end(), 0.8f);
  keypoints = found(ends({4, 4}, {40, 4}));
  CHECK(pm::limb_scores(output(even, keypoints, stick())).at(0).second == doctest::Approx(0.6));
  keypoints = found(ends({4, 40}, {4, 4}));
  CHECK(pm::limb_scores(output(even, keypoints, stick())).at(0).second == doctest::Approx(-0.8));
}

TEST_CASE("refined_joints: of drawn offsets the joint itself, from up to a cell and a half away, in the image") {
  const std::vector<pm::Joint> joints = ends({20.25, 22.5}, {1, 46});
  const Drawn offsets = offsets_of(joints, stick());
  std::vector<pm::Keypoint> keypoints = found(joints);
  keypoints[0].position = {26, 17};  // and the other at the corner of the map
  const pm::NamedKeypoints refined = pm::refined_joints(output(offsets, keypoints, stick()));
  REQUIRE(refined.size() == 2);
  CHECK(refined[0].first == "a");
  CHECK(refined[0].second.score == 0.75);
  CHECK(refined[0].second.position.x == doctest::Approx(2 * 20.25 + 10).epsilon(1e-6));
  CHECK(refined[0].second.position.y == doctest::Approx(2 * 22.5 + 20).epsilon(1e-6));
  CHECK(refined[1].second.position.x == doctest::Approx(12).epsilon(1e-6));

  const pm::Affine beyond{2, 0, -100, 0, 2, 0};
  const pm::NamedKeypoints moved = pm::refined_joints(output(offsets, keypoints, stick(), beyond));
  CHECK(moved[0].second.position.x == 0);  // the nearest pixel, as keypoints have it
  keypoints[1] = {};
  CHECK_FALSE(pm::refined_joints(output(offsets, keypoints, stick()))[1].second.found());
}

TEST_CASE("decoded: a value is taken by its type, and refused by output, decoder and both types otherwise") {
  const pm::Pose pose{{}, {}, {{"mask", "outline", std::vector<pm::Point>{{1, 2}}}, {"area", "count", 3}}};
  CHECK(pose.decoded<std::vector<pm::Point>>("mask").at(0) == pm::Point{1, 2});
  const pm::Pose copy = pose;
  CHECK(copy.decoded<int>("area") == 3);
  CHECK(&copy.decoded<int>("area") == &pose.decoded<int>("area"));
  CHECK_THROWS_WITH_AS(pose.decoded<double>("area"), "the output area, decoded by count: expected double, got int",
                       pm::UsageError);
  CHECK_THROWS_WITH_AS(pose.decoded<int>("areas"), doctest::Contains("one of mask, area, got areas"), pm::UsageError);
  CHECK_FALSE(pm::Decoded().has_value());
  CHECK(pm::Decoded().find<int>() == nullptr);
}

TEST_CASE("OutputDecoders: the library's are there, a name is taken once, and channels must fit") {
  const pm::OutputDecoder mine{.name = "mine", .decode = [](const pm::OutputMaps&) -> pm::Decoded { return 1; }};
  const pm::OutputDecoders known{mine};
  CHECK(known.names() == std::vector<std::string>{"limb_scores", "refined_joints", "mine"});
  CHECK_THROWS_AS((pm::OutputDecoders{mine, mine}), pm::UsageError);
  CHECK_THROWS_WITH_AS(pm::OutputDecoders{pm::OutputDecoder{.name = "none"}}, doctest::Contains("a function decode"),
                       pm::UsageError);
  CHECK(known.of({"o", "r", "mine"}, 5, stick()).name == "mine");
  CHECK_THROWS_WITH_AS(known.of({"o", "r", "limb_scores"}, 5, stick()),
                       doctest::Contains("the decoder of the output o: expected 2 channels for limb_scores and the "
                                         "joint set stick, got 5"),
                       pm::ModelError);
  CHECK_THROWS_WITH_AS(known.of({"o", "r", "limb_score"}, 2, stick()),
                       doctest::Contains("one of limb_scores, refined_joints, mine"), pm::ModelError);
}

TEST_CASE("decoded outputs are JSON beside the keypoints, as numbers or keypoints by name") {
  pm::Pose pose{{0, 0, 8, 8}, {{{1, 2}, 0.5}, {}}, {}};
  const auto json = [&] { return pm::to_json({.image = "i", .width = 8, .height = 8, .poses = {pose}}, stick()); };
  CHECK_FALSE(json()["poses"][0].contains("outputs"));
  pose.outputs = {{"f", "limb_scores", pm::NamedNumbers{{"a-b", 0.25}, {"b-c", std::nan("")}}},
                  {"o", "refined_joints", pm::NamedKeypoints{{"a", {{1.5, 2}, 0.5}}, {"b", {}}}},
                  {"m", "mine", 3}};
  CHECK(json()["poses"][0]["outputs"].dump() ==
        R"({"f":{"decoder":"limb_scores","numbers":{"a-b":0.25,"b-c":null}},)"
        R"("o":{"decoder":"refined_joints","keypoints":[{"name":"a","x":1.5,"y":2.0,"score":0.5},)"
        R"({"name":"b","x":null,"y":null,"score":0.0}]},"m":{"decoder":"mine"}})");
}

}  // namespace fields_test
