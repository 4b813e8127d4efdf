// The definitions of inference/evaluation_json.hpp.
#pragma once

#include <posemachine/inference/evaluation_json.hpp>

#include <optional>
#include <span>

#include <cmath>
#include <limits>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// Four digits behind the point: of percents and pixels more would be noise. A figure of nobody is absent.
POSEMACHINE_INLINE void set_figure(Json& json, const std::string& key, double value) {
  if (std::isfinite(value)) json[key] = std::round(value * 1e4) / 1e4;
}

POSEMACHINE_INLINE Json metric_to_json(const Metric& metric, const MetricResult& result) {
  Json json = {{"metric", metric.name}, {"unit", metric.unit}, {"people", result.people}};
  if (metric.threshold) json["threshold"] = *metric.threshold;
  if (!metric.normaliser.empty()) json["normaliser"] = metric.normaliser;
  json["mean"] = std::isfinite(result.mean) ? Json(std::round(result.mean * 1e4) / 1e4) : Json();
  set_figure(json, "pooled", result.pooled);
  const Json fixed = json;
  for (const MetricValue& group : result.groups) {
    // Beside the mean; a group of a name that stands there already, or may stand there, has a place of its own.
    const bool taken = fixed.contains(group.name) || group.name == "groups" || group.name == "parts" ||
                       group.name == "pooled" || group.name == "threshold" || group.name == "normaliser";
    Json& place = taken ? json["groups"] : json;
    set_figure(place, group.name, group.value);
  }
  for (std::size_t part = 0; part < result.parts.size(); ++part) {
    Json entry = {{"name", result.parts[part].name}, {"counted", result.counted[part]}, {"right", result.right[part]}};
    set_figure(entry, "value", result.parts[part].value);
    json["parts"].push_back(std::move(entry));
  }
  return json;
}

// The first metric of a kind goes by the kind's name, others by their own.
POSEMACHINE_INLINE Json stage_to_json(std::span<const Metric> metrics, std::span<const MetricResult> results) {
  Json json = Json::object();
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    const std::string& key = json.contains(metrics[m].key) ? metrics[m].name : metrics[m].key;
    json[key] = metric_to_json(metrics[m], results[m]);
  }
  return json;
}

}  // namespace detail

POSEMACHINE_INLINE Json evaluation_to_json(const EvaluationResult& result) {
  Json json = {{"people", result.people - result.left_out}};
  if (result.left_out > 0) json["left_out"] = result.left_out;
  if (!result.stages.empty()) json.update(detail::stage_to_json(result.metrics, result.stages.back()));
  json["stages"] = Json::array();
  for (const std::vector<MetricResult>& stage : result.stages) {
    Json entry = {{"stage", json["stages"].size() + 1}};
    entry.update(detail::stage_to_json(result.metrics, stage));
    json["stages"].push_back(std::move(entry));
  }
  return json;
}

POSEMACHINE_INLINE Json measurements_to_json(const EvaluationResult& result) {
  const auto numbers = [](const Point& position, const Json& third) {
    const bool finite = std::isfinite(position.x) && std::isfinite(position.y);
    return finite ? Json{position.x, position.y, third} : Json{nullptr, nullptr, third};
  };
  Json people = Json::array();
  for (std::size_t i = 0; i < result.measured.size(); ++i) {
    const MeasuredPerson& person = result.measured[i];
    Json entry = {{"image", person.image}, {"truth", Json::array()}, {"estimates", Json::array()}};
    for (const Joint& joint : person.truth) {
      const bool labelled = joint.is_labelled();
      entry["truth"].push_back(labelled ? numbers(joint.position, static_cast<int>(joint.state)) : Json());
    }
    for (const std::vector<Keypoints>& stage : result.estimates) {
      Json keypoints = Json::array();
      for (const Keypoint& keypoint : stage[i]) keypoints.push_back(numbers(keypoint.position, keypoint.score));
      entry["estimates"].push_back(std::move(keypoints));
    }
    if (person.box) entry["box"] = {person.box->x, person.box->y, person.box->width, person.box->height};
    if (person.image_side) entry["image_side"] = *person.image_side;
    if (person.head_length) entry["head_length"] = *person.head_length;
    if (person.area) entry["area"] = *person.area;
    people.push_back(std::move(entry));
  }
  return people;
}

namespace detail {

// Reads one list of measurements. Errors: DataError naming the person and field.
class MeasurementReader {
 public:
  MeasurementReader(const JointSet& joints, std::string where) : joint_count_(joints.joints.size()), where_(where) {}

  MeasuredPerson person(const Json& json) const;

  /// Empty for a person of whom nothing was estimated.
  Keypoints keypoints(const Json& json) const;

 private:
  [[noreturn]] void refuse(const std::string& key, const std::string& expected, const Json& got) const;
  const Json& list(const Json& json, std::size_t size, const std::string& key) const;
  double number(const Json& json, const std::string& key) const;
  std::optional<double> optional_number(const Json& json, const char* key) const;

  std::size_t joint_count_;
  std::string where_;
};

POSEMACHINE_INLINE MeasuredPerson MeasurementReader::person(const Json& json) const {
  MeasuredPerson person;
  person.image = static_cast<int>(integer_member<DataError>(json, "image", where_, 0, std::numeric_limits<int>::max()));
  for (const Json& joint : list(member<DataError>(json, "truth", where_), joint_count_, "truth")) {
    Joint& read = person.truth.emplace_back();
    if (joint.is_null()) continue;
    const double state = number(list(joint, 3, "truth")[2], "truth");
    if (state != 1 && state != 2 && state != 3) refuse("truth", "a state from 1 to 3", joint[2]);
    static_assert(static_cast<int>(JointState::outside) == 1 && static_cast<int>(JointState::visible) == 3);
    read = {{number(joint[0], "truth"), number(joint[1], "truth")}, static_cast<JointState>(static_cast<int>(state))};
  }
  if (json.contains("box")) {
    const Json& box = list(json["box"], 4, "box");
    person.box = Box{number(box[0], "box"), number(box[1], "box"), number(box[2], "box"), number(box[3], "box")};
  }
  person.image_side = optional_number(json, "image_side");
  person.head_length = optional_number(json, "head_length");
  person.area = optional_number(json, "area");
  return person;
}

POSEMACHINE_INLINE Keypoints MeasurementReader::keypoints(const Json& json) const {
  Keypoints keypoints;
  if (json.is_array() && json.empty()) return keypoints;
  for (const Json& each : list(json, joint_count_, "estimates")) {
    Keypoint& keypoint = keypoints.emplace_back();
    keypoint.score = number(list(each, 3, "estimates")[2], "estimates");
    if (!each[0].is_null()) keypoint.position = {number(each[0], "estimates"), number(each[1], "estimates")};
  }
  return keypoints;
}

POSEMACHINE_INLINE void MeasurementReader::refuse(const std::string& key, const std::string& expected,
                                                  const Json& got) const {
  fail<DataError>({.where = where_ + "." + key, .expected = expected, .got = json_excerpt(got)});
}

POSEMACHINE_INLINE const Json& MeasurementReader::list(const Json& json, std::size_t size,
                                                       const std::string& key) const {
  if (!json.is_array() || json.size() != size) refuse(key, "a list of " + std::to_string(size), json);
  return json;
}

POSEMACHINE_INLINE double MeasurementReader::number(const Json& json, const std::string& key) const {
  if (!json.is_number()) refuse(key, "a number", json);
  return json.get<double>();
}

POSEMACHINE_INLINE std::optional<double> MeasurementReader::optional_number(const Json& json, const char* key) const {
  return json.contains(key) ? std::optional(number(json[key], key)) : std::nullopt;
}

}  // namespace detail

POSEMACHINE_INLINE EvaluationResult evaluation_from_measurements(const Json& people, std::vector<Metric> metrics,
                                                                 const JointSet& joints, std::size_t stage_count,
                                                                 const std::string& where) {
  if (!people.is_array()) {
    fail<DataError>({.where = where, .expected = "a list of people", .got = detail::json_excerpt(people)});
  }
  EvaluationResult result;
  result.people = static_cast<int>(people.size());
  result.metrics = std::move(metrics);
  result.estimates.resize(stage_count);
  for (std::size_t i = 0; i < people.size(); ++i) {
    const std::string person_where = where + "[" + std::to_string(i) + "]";
    const detail::MeasurementReader reader(joints, person_where);
    result.measured.push_back(reader.person(people[i]));
    const Json& stages = array_member<DataError>(people[i], "estimates", person_where);
    if (stages.size() != stage_count) {
      fail<DataError>({.where = person_where + ".estimates",
                       .expected = std::to_string(stage_count) + " stages",
                       .got = std::to_string(stages.size())});
    }
    for (std::size_t s = 0; s < stage_count; ++s) {
      result.estimates[s].push_back(reader.keypoints(stages[s]));
      if (result.estimates[s].back().empty() == result.estimates[0].back().empty()) continue;
      fail<DataError>(
          {.where = person_where + ".estimates", .expected = "keypoints of every stage, or of none", .got = "of some"});
    }
  }
  detail::measure(result);
  return result;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
