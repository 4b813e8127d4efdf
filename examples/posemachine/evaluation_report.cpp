// What evaluate says: tables and JSON of PCK and strict PCP, by stage.
#include "evaluation_report.hpp"
#include "tool.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/pose/metrics.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

double rounded(double percent) { return std::round(percent * 1e4) / 1e4; }

// A group of which no joint is labelled anywhere has no rate.
void add_groups(pm::Json& json, const pm::MetricResult& result) {
  for (const pm::Rate& group : result.groups) {
    if (!std::isfinite(group.percent)) continue;
    // Beside the mean, as ever; a group of a name that stands there already has a place of its own.
    if (json.contains(group.name) || group.name == "normaliser" || group.name == "groups") {
      json["groups"][group.name] = rounded(group.percent);
    } else {
      json[group.name] = rounded(group.percent);
    }
  }
}

pm::Json pck_json(const pm::MetricResult& result, double threshold) {
  pm::Json json;
  json["threshold"] = threshold;
  json["mean"] = rounded(result.mean);
  add_groups(json, result);
  return json;
}

pm::Json pcp_json(const pm::MetricResult& result) {
  pm::Json json;
  json["mean"] = rounded(result.mean);
  add_groups(json, result);
  return json;
}

// Groups down, stages across.
std::string metric_table(const std::string& title, const std::vector<const pm::MetricResult*>& stages) {
  std::string text = format("%-12s", title.c_str());
  for (std::size_t s = 0; s < stages.size(); ++s) text += format("  stage %zu", s + 1);
  const auto row = [&](const std::string& name, const auto& value) {
    text += format("\n%-12s", name.c_str());
    for (const pm::MetricResult* stage : stages) {
      const double percent = value(*stage);
      text += std::isfinite(percent) ? format("  %7.1f", percent) : format("  %7s", "-");
    }
  };
  for (std::size_t g = 0; g < stages.front()->groups.size(); ++g) {
    row(stages.front()->groups[g].name, [&](const pm::MetricResult& stage) { return stage.groups[g].percent; });
  }
  row("mean", [](const pm::MetricResult& stage) { return stage.mean; });
  return text + "\n";
}

std::vector<int> counts_member(const pm::Json& object, const char* key, const std::string& where, int people) {
  std::vector<int> counts;
  for (const pm::Json& count : pm::array_member(object, key, where)) {
    const std::string index = std::to_string(counts.size());
    counts.push_back(int(pm::integer_member(pm::Json{{index, count}}, index, where + "." + key, 0, people)));
  }
  return counts;
}

}  // namespace

std::string to_text(const EvaluationReport& report) {
  std::vector<const pm::MetricResult*> pck, pcp;
  for (const pm::StageScores& stage : report.result.stages) {
    pck.push_back(&stage.pck);
    if (stage.pcp_strict) pcp.push_back(&*stage.pcp_strict);
  }
  const bool says_split = report.split.empty() || report.data.ends_with(":" + report.split);
  const std::string data = report.data + (says_split ? "" : ", " + report.split);
  const bool by_box = report.result.pck_normaliser == pm::PckNormaliser::box;
  std::string text = format("%s on %s: %d people, crops %s\n\n", report.network.c_str(), data.c_str(),
                            report.result.people, report.boxes ? "around their boxes" : "from the images alone");
  text += metric_table(format("PCK@%g", report.result.pck_threshold) + (by_box ? " box" : ""), pck);
  if (report.result.pck().people < report.result.people) {
    text += format("\n%d of them could be measured by the %s\n", report.result.pck().people, by_box ? "box" : "torso");
  }
  return pcp.empty() ? text : text + "\n" + metric_table("strict PCP", pcp);
}

pm::Json to_json(const EvaluationReport& report) {
  const pm::EvaluationResult& result = report.result;
  pm::Json json;
  json["model"] = report.model;
  json["network"] = report.network;
  json["data"] = report.data;
  json["split"] = report.split;
  if (report.boxes) json["boxes"] = true;
  json["people"] = result.people;
  json["pck"] = pck_json(result.pck(), result.pck_threshold);
  if (result.pck_normaliser == pm::PckNormaliser::box) json["pck"]["normaliser"] = "box";
  if (result.pcp_strict()) json["pcp_strict"] = pcp_json(*result.pcp_strict());
  json["stages"] = pm::Json::array();
  for (const pm::StageScores& stage : result.stages) {
    pm::Json entry = {{"stage", json["stages"].size() + 1}, {"pck", pck_json(stage.pck, result.pck_threshold)}};
    if (stage.pcp_strict) entry["pcp_strict"] = pcp_json(*stage.pcp_strict);
    entry["right"]["joints"] = stage.pck.right;
    if (stage.pcp_strict) entry["right"]["sticks"] = stage.pcp_strict->right;
    entry["counted"]["joints"] = stage.pck.counted;
    if (stage.pcp_strict) entry["counted"]["sticks"] = stage.pcp_strict->counted;
    entry["measured"] = stage.pck.people;
    json["stages"].push_back(std::move(entry));
  }
  return json;
}

EvaluationReport report_from_json(const pm::Json& json, const pm::JointSet& joints, const std::string& where) {
  EvaluationReport report{pm::string_member(json, "model", where),
                          pm::string_member(json, "network", where),
                          pm::string_member(json, "data", where),
                          pm::string_member(json, "split", where),
                          json.contains("boxes") && pm::boolean_member(json, "boxes", where),
                          {}};
  pm::EvaluationResult& result = report.result;
  result.people = int(pm::integer_member(json, "people", where, 0, std::numeric_limits<int>::max()));
  result.pck_threshold = pm::number_member(pm::member(json, "pck", where), "threshold", where + ".pck", 0,
                                           std::numeric_limits<double>::max());
  if (json["pck"].contains("normaliser")) {
    const std::string normaliser = pm::string_member(json["pck"], "normaliser", where + ".pck");
    if (normaliser != "box") {
      pm::fail<pm::DataError>(
          {.where = where + ".pck.normaliser", .expected = "box, or none for the torso", .got = normaliser});
    }
    result.pck_normaliser = pm::PckNormaliser::box;
  }
  for (const pm::Json& stage : pm::array_member(json, "stages", where)) {
    const std::string stage_where = where + ".stages[" + std::to_string(result.stages.size()) + "]";
    const pm::Json& right = pm::member(stage, "right", stage_where);
    const std::vector<int> joint_counts = counts_member(right, "joints", stage_where + ".right", result.people);
    std::vector<int> stick_counts;
    if (!joints.sticks.empty()) stick_counts = counts_member(right, "sticks", stage_where + ".right", result.people);
    // Of everybody, in results of earlier programs.
    int measured = result.people;
    if (stage.contains("measured")) {
      measured = int(pm::integer_member(stage, "measured", stage_where, 0, result.people));
    }
    const auto counted = [&](const char* key, std::size_t count) {
      if (!stage.contains("counted")) return std::vector<int>(count, result.people);
      return counts_member(pm::member(stage, "counted", stage_where), key, stage_where + ".counted", result.people);
    };
    try {
      pm::PckMeter pck(joints, result.pck_threshold, result.pck_normaliser);
      pck.add(measured, counted("joints", joint_counts.size()), joint_counts);
      pm::StageScores scores{pck.result(), {}};
      if (!joints.sticks.empty()) {
        pm::StrictPcpMeter pcp(joints);
        pcp.add(result.people, counted("sticks", stick_counts.size()), stick_counts);
        scores.pcp_strict = pcp.result();
      }
      result.stages.push_back(std::move(scores));
    } catch (const pm::UsageError& error) {
      throw pm::DataError(stage_where + ": " + error.what());
    }
  }
  if (result.stages.empty()) {
    pm::fail<pm::DataError>({.where = where + ".stages", .expected = "at least one", .got = "none"});
  }
  return report;
}

}  // namespace tool
