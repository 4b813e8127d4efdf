// The report of evaluate: a table per metric, by stage, or JSON.
#include "evaluation_report.hpp"
#include "tool.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/inference/evaluation_json.hpp>
#include <posemachine/pose/metrics/metric.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

// Groups down, stages across.
std::string metric_table(const pm::EvaluationResult& result, std::size_t m) {
  const pm::Metric& metric = result.metrics[m];
  const pm::MetricResult& answer = result.stages.back()[m];
  std::size_t width = std::max<std::size_t>(12, metric.heading.size());
  for (const pm::MetricValue& group : answer.groups) width = std::max(width, group.name.size());
  std::string text = format("%-*s", int(width), metric.heading.c_str());
  for (std::size_t s = 0; s < result.stages.size(); ++s) text += format("  stage %zu", s + 1);
  const auto row = [&](const std::string& name, const auto& value) {
    text += format("\n%-*s", int(width), name.c_str());
    for (const std::vector<pm::MetricResult>& stage : result.stages) {
      const double figure = value(stage[m]);
      text += std::isfinite(figure) ? format("  %7.1f", figure) : format("  %7s", "-");
    }
  };
  for (std::size_t g = 0; g < answer.groups.size(); ++g) {
    row(answer.groups[g].name, [&](const pm::MetricResult& stage) { return stage.groups[g].value; });
  }
  // Figures of no parts are their own summary.
  if (!answer.parts.empty()) row("mean", [](const pm::MetricResult& stage) { return stage.mean; });
  if (metric.reports_pooled) row("pooled", [](const pm::MetricResult& stage) { return stage.pooled; });
  text += "\n";
  if (answer.people < result.people - result.left_out)
    text += format("of %d people with %s\n", answer.people, metric.needs.c_str());
  return text;
}

}  // namespace

std::string to_text(const EvaluationReport& report) {
  const bool says_split = report.split.empty() || report.data.ends_with(":" + report.split);
  const std::string data = report.data + (says_split ? "" : ", " + report.split);
  std::string text =
      format("%s on %s: %d people%s, crops %s\n", report.network.c_str(), data.c_str(),
             report.result.people - report.result.left_out, left_out_text(report.result.left_out).c_str(),
             report.boxes ? "around their boxes" : "from the images alone");
  for (std::size_t m = 0; m < report.result.metrics.size(); ++m) text += "\n" + metric_table(report.result, m);
  return text;
}

pm::Json to_json(const EvaluationReport& report) {
  pm::Json json;
  json["model"] = report.model;
  json["network"] = report.network;
  json["data"] = report.data;
  json["split"] = report.split;
  if (report.boxes) json["boxes"] = true;
  json.update(pm::evaluation_to_json(report.result));
  add_left_out(json, report.left_out);
  return json;
}

EvaluationReport report_from_json(const pm::Json& json, const pm::Json& run, const pm::MetricKinds& kinds,
                                  const pm::JointSet& joints, const std::string& where) {
  EvaluationReport report{pm::string_member(json, "model", where),
                          pm::string_member(json, "network", where),
                          pm::string_member(json, "data", where),
                          pm::string_member(json, "split", where),
                          json.contains("boxes") && pm::boolean_member(json, "boxes", where),
                          {}};
  const pm::Json& shard = pm::member(json, "shard", where);
  if (!shard.contains("measured")) {
    pm::fail<pm::DataError>({.where = where + ".shard",
                             .expected = "what was measured",
                             .got = "figures alone, as earlier versions wrote",
                             .remedy = "run this shard again"});
  }
  std::vector<pm::Metric> metrics;
  for (const pm::Json& name : pm::array_member(run, "metrics", where + ".shard.run")) {
    if (!name.is_string()) {
      pm::fail<pm::DataError>({.where = where + ".shard.run.metrics", .expected = "names", .got = name.dump()});
    }
    metrics.push_back(kinds.make(name.get<std::string>(), joints));
  }
  const std::size_t stage_count = pm::array_member(json, "stages", where).size();
  if (stage_count == 0) {
    pm::fail<pm::DataError>({.where = where + ".stages", .expected = "at least one", .got = "none"});
  }
  report.result = pm::evaluation_from_measurements(shard["measured"], std::move(metrics), joints, stage_count,
                                                   where + ".shard.measured");
  report.left_out = left_out_from_json(json, where);
  return report;
}

}  // namespace tool
