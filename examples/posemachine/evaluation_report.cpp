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

pm::Json pck_json(const pm::MetricResult& result, double threshold) {
  pm::Json json;
  json["threshold"] = threshold;
  json["mean"] = rounded(result.mean);
  for (const pm::Rate& group : result.groups) json[group.name] = rounded(group.percent);
  return json;
}

pm::Json pcp_json(const pm::MetricResult& result) {
  pm::Json json;
  json["mean"] = rounded(result.mean);
  for (const pm::Rate& group : result.groups) json[group.name] = rounded(group.percent);
  return json;
}

// Groups down, stages across.
std::string metric_table(const std::string& title, const std::vector<const pm::MetricResult*>& stages) {
  std::string text = format("%-12s", title.c_str());
  for (std::size_t s = 0; s < stages.size(); ++s) text += format("  stage %zu", s + 1);
  const auto row = [&](const std::string& name, const auto& value) {
    text += format("\n%-12s", name.c_str());
    for (const pm::MetricResult* stage : stages) text += format("  %7.1f", value(*stage));
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
    pcp.push_back(&stage.pcp_strict);
  }
  const std::string head = format("%s on %s, %s: %d people, crops from the images alone\n\n", report.network.c_str(),
                                  report.data.c_str(), report.split.c_str(), report.result.people);
  return head + metric_table(format("PCK@%g", report.result.pck_threshold), pck) + "\n" +
         metric_table("strict PCP", pcp);
}

pm::Json to_json(const EvaluationReport& report) {
  const pm::EvaluationResult& result = report.result;
  pm::Json json;
  json["model"] = report.model;
  json["network"] = report.network;
  json["data"] = report.data;
  json["split"] = report.split;
  json["people"] = result.people;
  json["pck"] = pck_json(result.pck(), result.pck_threshold);
  json["pcp_strict"] = pcp_json(result.pcp_strict());
  json["stages"] = pm::Json::array();
  for (const pm::StageScores& stage : result.stages) {
    json["stages"].push_back({{"stage", json["stages"].size() + 1},
                              {"pck", pck_json(stage.pck, result.pck_threshold)},
                              {"pcp_strict", pcp_json(stage.pcp_strict)},
                              {"right", {{"joints", stage.pck.right}, {"sticks", stage.pcp_strict.right}}}});
  }
  return json;
}

EvaluationReport report_from_json(const pm::Json& json, const pm::JointSet& joints, const std::string& where) {
  EvaluationReport report{pm::string_member(json, "model", where),
                          pm::string_member(json, "network", where),
                          pm::string_member(json, "data", where),
                          pm::string_member(json, "split", where),
                          {}};
  pm::EvaluationResult& result = report.result;
  result.people = int(pm::integer_member(json, "people", where, 0, std::numeric_limits<int>::max()));
  result.pck_threshold = pm::number_member(pm::member(json, "pck", where), "threshold", where + ".pck", 0,
                                           std::numeric_limits<double>::max());
  for (const pm::Json& stage : pm::array_member(json, "stages", where)) {
    const std::string stage_where = where + ".stages[" + std::to_string(result.stages.size()) + "]";
    const pm::Json& right = pm::member(stage, "right", stage_where);
    const std::vector<int> joint_counts = counts_member(right, "joints", stage_where + ".right", result.people);
    const std::vector<int> stick_counts = counts_member(right, "sticks", stage_where + ".right", result.people);
    try {
      pm::PckMeter pck(joints, result.pck_threshold);
      pm::StrictPcpMeter pcp(joints);
      pck.add(result.people, joint_counts);
      pcp.add(result.people, stick_counts);
      result.stages.push_back({pck.result(), pcp.result()});
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
