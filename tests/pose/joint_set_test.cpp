// Joint sets: the Leeds joints in their order, left and right, and what makes a set unusable.
#include <posemachine/base/json.hpp>
#include <posemachine/pose/joint_names.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/known_joint_sets.hpp>
#include <posemachine/pose/model_spec_json.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace joint_set_test {

namespace pm = posemachine;

namespace {

const std::string& name(const pm::JointSet& set, int joint) { return set.joints.at(static_cast<std::size_t>(joint)); }

// "left_knee" for "right_knee" and the other way round; other names stay.
std::string other_side(const std::string& joint) {
  if (joint.rfind("left_", 0) == 0) return "right_" + joint.substr(5);
  if (joint.rfind("right_", 0) == 0) return "left_" + joint.substr(6);
  return joint;
}

std::string refusal(const std::function<void(pm::JointSet&)>& break_it) {
  pm::JointSet set = pm::lsp_joints();
  break_it(set);
  try {
    pm::check(set);
  } catch (const pm::ModelError& error) {
    return error.what();
  }
  return "taken";
}

std::string json_refusal(const std::function<void(pm::Json&)>& break_it) {
  pm::Json json = pm::joint_set_to_json(pm::lsp_joints());
  break_it(json);
  try {
    pm::joint_set_from_json(json, "joints.json");
  } catch (const pm::ModelError& error) {
    return error.what();
  }
  return "taken";
}

}  // namespace

TEST_CASE("lsp_joints: the order is that of the Leeds annotations, right ankle first, head top last") {
  const pm::JointSet set = pm::lsp_joints();
  CHECK(set.name == "lsp");
  CHECK(set.joints == std::vector<std::string>{"right_ankle", "right_knee", "right_hip", "left_hip", "left_knee",
                                               "left_ankle", "right_wrist", "right_elbow", "right_shoulder",
                                               "left_shoulder", "left_elbow", "left_wrist", "neck", "head_top"});
  CHECK_NOTHROW(pm::check(set));
}

TEST_CASE("lsp_joints: pairs name the left joint first, and every sided joint has its pair") {
  const pm::JointSet set = pm::lsp_joints();
  CHECK(set.pairs.size() == 6);
  for (const auto& [left, right] : set.pairs) {
    CHECK(name(set, left).rfind("left_", 0) == 0);
    CHECK(name(set, right) == other_side(name(set, left)));
  }
}

TEST_CASE("mirror: swaps left and right by name, leaves the middle, and twice is the original") {
  const pm::JointSet set = pm::lsp_joints();
  const std::vector<int> to = pm::mirror(set);
  REQUIRE(to.size() == set.joints.size());
  for (int i = 0; i < 14; ++i) {
    const int image = to[static_cast<std::size_t>(i)];
    CHECK(name(set, image) == other_side(name(set, i)));
    CHECK(to[static_cast<std::size_t>(image)] == i);
  }
  pm::JointSet unpaired = set;
  unpaired.pairs.clear();
  CHECK(pm::mirror(unpaired)[5] == 5);
}

TEST_CASE("lsp_joints: PCK's rows and torso are those of the common evaluation code") {
  const pm::JointSet set = pm::lsp_joints();
  const std::vector<std::string> rows = {"head", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"};
  REQUIRE(set.groups.size() == rows.size());
  std::multiset<int> counted;
  for (std::size_t g = 0; g < rows.size(); ++g) {
    CHECK(set.groups[g].name == rows[g]);
    CHECK(set.groups[g].joints.size() == 2);
    for (const int joint : set.groups[g].joints) {
      counted.insert(joint);
      const std::string& joint_name = name(set, joint);
      if (g == 0) CHECK((joint_name == "neck" || joint_name == "head_top"));
      if (g > 0) CHECK((joint_name == "left_" + rows[g] || joint_name == "right_" + rows[g]));
    }
  }
  CHECK(counted.size() == 14);
  CHECK(std::set<int>(counted.begin(), counted.end()).size() == 14);
  CHECK(name(set, set.torso[0]) == "left_shoulder");
  CHECK(name(set, set.torso[1]) == "right_hip");
}

TEST_CASE("lsp_joints: PCP's ten sticks: torso between the middles of hips and shoulders, head, limbs of both sides") {
  const pm::JointSet set = pm::lsp_joints();
  const auto names = [&](std::vector<int> joints) {
    std::set<std::string> result;
    for (const int joint : joints) result.insert(name(set, joint));
    return result;
  };
  std::vector<std::string> groups;
  for (const pm::Stick& stick : set.sticks) groups.push_back(stick.group);
  REQUIRE(groups == std::vector<std::string>{"torso", "head", "upper_leg", "upper_leg", "lower_leg", "lower_leg",
                                             "upper_arm", "upper_arm", "lower_arm", "lower_arm"});
  CHECK(names(set.sticks[0].from) == std::set<std::string>{"left_hip", "right_hip"});
  CHECK(names(set.sticks[0].to) == std::set<std::string>{"left_shoulder", "right_shoulder"});
  CHECK(names(set.sticks[1].from) == std::set<std::string>{"neck"});
  CHECK(names(set.sticks[1].to) == std::set<std::string>{"head_top"});
  const std::array<std::pair<const char*, const char*>, 4> ends = {
      {{"hip", "knee"}, {"knee", "ankle"}, {"shoulder", "elbow"}, {"elbow", "wrist"}}};
  for (std::size_t i = 0; i < 8; ++i) {
    const pm::Stick& stick = set.sticks[2 + i];
    const std::string side = i % 2 == 0 ? "right_" : "left_";
    CHECK(names(stick.from) == std::set<std::string>{side + ends[i / 2].first});
    CHECK(names(stick.to) == std::set<std::string>{side + ends[i / 2].second});
  }
}

TEST_CASE("lsp_joints: limbs join all joints, the sides look different, and mirrored limbs are limbs") {
  const pm::JointSet set = pm::lsp_joints();
  std::set<int> joined;
  std::set<std::pair<int, int>> lines;
  for (const pm::Limb& limb : set.limbs) {
    joined.insert({limb.from, limb.to});
    lines.insert(std::minmax(limb.from, limb.to));
  }
  CHECK(joined.size() == 14);
  CHECK(lines.size() == set.limbs.size());
  const std::vector<int> to = pm::mirror(set);
  for (const pm::Limb& limb : set.limbs) {
    const int from = to[static_cast<std::size_t>(limb.from)], end = to[static_cast<std::size_t>(limb.to)];
    CHECK(lines.contains(std::minmax(from, end)));
    const bool right = name(set, limb.from).rfind("right_", 0) == 0 && name(set, limb.to).rfind("right_", 0) == 0;
    if (!right || (name(set, limb.from) == "right_hip" && name(set, limb.to) == "right_shoulder")) continue;
    for (const pm::Limb& other : set.limbs) {
      if (std::minmax(other.from, other.to) != std::minmax(from, end)) continue;
      CHECK(limb.colour[0] > limb.colour[2]);    // right is warm
      CHECK(other.colour[2] > other.colour[0]);  // left is cool
    }
  }
}

TEST_CASE("check: a set with one thing wrong is refused by its name and the part") {
  using Set = pm::JointSet;
  const auto plain = [](Set&) {};
  REQUIRE(refusal(plain) == "taken");
  const std::string lsp = "joint set lsp";
  CHECK(refusal([](Set& s) { s = {}; }) == "joint set : expected 1 to 1024 joints, got 0");
  CHECK(refusal([](Set& s) { s.joints[3] = "neck"; }) ==
        lsp + ": expected joints of different names, got \"neck\" twice");
  CHECK(refusal([](Set& s) { s.joints[3] = ""; }) == lsp + ": joint 3: expected a name of 1 to 200 bytes, got 0");
  CHECK(refusal([](Set& s) { s.pairs[0].first = 14; }) == lsp + ": pairs: expected a joint from 0 to 13, got 14");
  CHECK(refusal([](Set& s) { s.pairs[5].second = -1; }) == lsp + ": pairs: expected a joint from 0 to 13, got -1");
  CHECK(refusal([](Set& s) { s.pairs[1] = s.pairs[0]; }) ==
        lsp + ": pairs: expected every joint in at most one pair, got \"left_ankle\" again");
  CHECK(refusal([](Set& s) { s.pairs[0] = {5, 5}; }) ==
        lsp + ": pairs: expected every joint in at most one pair, got \"left_ankle\" again");
  CHECK(refusal([](Set& s) { s.limbs[0].from = 14; }) == lsp + ": limbs: expected a joint from 0 to 13, got 14");
  CHECK(refusal([](Set& s) { s.limbs[9].to = -2; }) == lsp + ": limbs: expected a joint from 0 to 13, got -2");
  CHECK(refusal([](Set& s) { s.groups[2].joints[1] = 99; }) ==
        lsp + ": groups.elbow: expected a joint from 0 to 13, got 99");
  CHECK(refusal([](Set& s) { s.groups[2].joints.clear(); }) == lsp + ": groups.elbow: expected 1 to 14 joints, got 0");
  CHECK(refusal([](Set& s) { s.sticks[0].from[1] = 14; }) ==
        lsp + ": sticks.torso: expected a joint from 0 to 13, got 14");
  CHECK(refusal([](Set& s) { s.sticks[1].to.clear(); }) ==
        lsp + ": sticks.head: expected one or two joints at both ends, got 0");
  CHECK(refusal([](Set& s) { s.sticks[1].from = {1, 2, 3}; }) ==
        lsp + ": sticks.head: expected one or two joints at both ends, got 3");
  CHECK(refusal([](Set& s) { s.torso[1] = 14; }) == lsp + ": torso: expected a joint from 0 to 13, got 14");
  CHECK(refusal([](Set& s) {
          s = {};
          s.joints.assign(200'000, "same");
        }) == "joint set : expected 1 to 1024 joints, got 200000");
}

TEST_CASE("check: a user's own set of one joint and nothing else is good") {
  pm::JointSet set;
  set.name = "tip";
  set.joints = {"tip"};
  CHECK_NOTHROW(pm::check(set));
  CHECK(pm::mirror(set) == std::vector<int>{0});
}

TEST_CASE("joint_set_to_json: a set comes back equal, and is told in names, not numbers") {
  const pm::JointSet set = pm::lsp_joints();
  const std::string text = pm::write_json(pm::joint_set_to_json(set), "lsp");
  CHECK(pm::joint_set_from_json(pm::parse_json(text, "lsp"), "lsp") == set);
  CHECK(text.find(R"("torso":["left_shoulder","right_hip"])") != std::string::npos);
  CHECK(text.find(R"("pairs":[["left_ankle","right_ankle"])") != std::string::npos);
  CHECK(text.find(R"({"group":"torso","from":["right_hip","left_hip"],"to":["right_shoulder","left_shoulder"]})") !=
        std::string::npos);
  pm::JointSet other = set;
  other.limbs[3].colour[1] ^= 1;
  CHECK_FALSE(pm::joint_set_from_json(pm::joint_set_to_json(other), "lsp") == set);
  CHECK(text.find("sigmas") == std::string::npos);
  other.sigmas.assign(14, 0.05);
  other.sigmas[3] = 0.1;
  CHECK(pm::joint_set_from_json(pm::joint_set_to_json(other), "lsp") == other);
}

TEST_CASE("joint_set_from_names: too many names are refused before each is compared with every other") {
  std::vector<std::string> names;  // compared, they take a minute
  for (int i = 0; i < 250'000; ++i) names.push_back("left_" + std::to_string(i));
  CHECK_THROWS_WITH_AS(pm::joint_set_from_names("many", std::move(names)),
                       "joint set many: expected 1 to 1024 joints, got 250000", pm::ModelError);
}

TEST_CASE("joint_set_from_names: COCO's sigmas where every joint is one of COCO's, whatever the spelling of its side") {
  using Sigmas = std::vector<double>;
  CHECK(pm::joint_set_from_names("a", {"nose", "left_eye", "LEar", "Right Hip"}).sigmas ==
        Sigmas{0.026, 0.025, 0.035, 0.107});
  CHECK(pm::joint_set_from_names("b", {"nose", "left_eye", "tail"}).sigmas.empty());
}

TEST_CASE("joint_set_from_json: what is missing, unknown or of another type is refused by its field") {
  using Json = pm::Json;
  const auto has = [](const std::string& text, std::string_view part) {
    CAPTURE(text);
    CHECK(text.find(part) != std::string::npos);
  };
  REQUIRE(json_refusal([](Json&) {}) == "taken");
  for (const std::string key : {"name", "joints", "pairs", "limbs", "groups", "sticks", "torso"}) {
    if (key != "torso") {  // a set may have none
      has(json_refusal([&](Json& j) { j.erase(key); }), "joints.json." + key + ": expected a value, got nothing");
    }
    has(json_refusal([&](Json& j) { j[key] = 5; }), "joints.json." + key + ": expected ");
  }
  CHECK(json_refusal([](Json& j) { j.erase("torso"); }) == "taken");
  has(json_refusal([](Json& j) { j = Json::array(); }), "joints.json: expected an object, got array");
  has(json_refusal([](Json& j) { j["limb"] = 1; }),
      "joints.json.limb: expected a known key, got an unknown one; did you mean \"limbs\"?");
  has(json_refusal([](Json& j) { j["pairs"][2][0] = "left_hipp"; }),
      "joints.json.pairs: expected a joint of the set, got \"left_hipp\"; did you mean \"left_hip\"?");
  has(json_refusal([](Json& j) { j["pairs"][2][0] = 3; }), "joints.json.pairs: expected a joint's name, got 3");
  has(json_refusal([](Json& j) { j["pairs"][2] = {"neck"}; }), "joints.json.pairs: expected two joints");
  has(json_refusal([](Json& j) { j["pairs"][2] = {"left_ankle", "neck"}; }),
      "at most one pair, got \"left_ankle\" again");
  has(json_refusal([](Json& j) { j["joints"][0] = 1; }), "joints.json.joints: expected names, got 1");
  has(json_refusal([](Json& j) { j["joints"][0] = "right_knee"; }), "got \"right_ankle\"");  // its pair lost it
  has(json_refusal([](Json& j) { j["limbs"][0] = "neck"; }), "joints.json.limbs: expected an object");
  has(json_refusal([](Json& j) { j["limbs"][0]["from"] = "nose"; }),
      "joints.json.limbs: expected a joint of the set, got \"nose\"");
  has(json_refusal([](Json& j) { j["limbs"][0]["rgb"] = {1, 2}; }), "joints.json.limbs.rgb: expected 3 numbers, got 2");
  has(json_refusal([](Json& j) { j["limbs"][0]["rgb"] = {1, 2, 256}; }),
      "joints.json.limbs.rgb: expected numbers from 0 to 255");
  has(json_refusal([](Json& j) { j["limbs"][0]["rgb"] = {1, 2, -1}; }),
      "joints.json.limbs.rgb: expected numbers from 0 to 255");
  has(json_refusal([](Json& j) { j["groups"][1]["joints"] = {"tail"}; }),
      "joints.json.groups: expected a joint of the set");
  has(json_refusal([](Json& j) { j["groups"][1]["joints"] = Json::array(); }),
      "groups.shoulder: expected 1 to 14 joints");
  has(json_refusal([](Json& j) { j["sticks"][1]["to"] = Json::array(); }), "sticks.head: expected one or two joints");
  has(json_refusal([](Json& j) { j["torso"] = {"neck"}; }), "joints.json.torso: expected two joints");
  has(json_refusal([](Json& j) { j["sigmas"] = {0.1}; }), "sigmas: expected 14 numbers, one per joint, got 1");
  has(json_refusal([](Json& j) { j["sigmas"] = {"0.1"}; }), "joints.json.sigmas: expected numbers, got \"0.1\"");
  has(json_refusal([](Json& j) { j["sigmas"] = Json::array(); }), "taken");
  has(json_refusal([](Json& j) { j["sigmas"] = std::vector<double>(14, 0.0); }), "sigmas: expected numbers above 0");
}

TEST_CASE("known joint sets: sound, by their names, with the field's counts, and sides that are mirrored") {
  const std::map<std::string_view, std::size_t> counts{{"lsp", 14}, {"mpii", 16}, {"coco", 17}, {"body_25", 25}};
  CHECK(counts.size() == pm::known_joint_sets.size());
  for (const auto& [each, make] : pm::known_joint_sets) {
    INFO(each);
    const std::optional<pm::JointSet> set = pm::known_joint_set(each);
    REQUIRE(set.has_value());
    CHECK(set->name == each);
    CHECK(set->joints.size() == counts.at(each));
    CHECK_NOTHROW(pm::check(*set));
    for (const auto& [left, right] : set->pairs) {
      CHECK(pm::sided_name(name(*set, left)).side == pm::Side::left);
      CHECK(pm::sided_name(name(*set, right)).side == pm::Side::right);
    }
    for (const pm::Limb& limb : set->limbs) CHECK(limb.from != limb.to);
  }
  CHECK_FALSE(pm::known_joint_set("LSP").has_value());
  CHECK(pm::body_25_joints().pairs.size() == 11);
  CHECK(pm::coco_joints().sigmas.size() == 17);
}

}  // namespace joint_set_test
