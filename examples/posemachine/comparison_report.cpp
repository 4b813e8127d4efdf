// The table of evaluate --compare.
#include "comparison_report.hpp"
#include "test_time.hpp"
#include "tool.hpp"

#include <posemachine/pose/metrics/metric.hpp>

#include <cmath>
#include <cstddef>

namespace pm = posemachine;

namespace tool {

namespace {

double mean_of(const pm::VariantResult& row) { return row.evaluation.stages.back().front().mean; }

// Four digits behind the point, as evaluate has them; null where nothing was counted.
pm::Json figure(double value) { return std::isfinite(value) ? pm::Json(std::round(value * 1e4) / 1e4) : pm::Json(); }

}  // namespace

std::string to_text(const ComparisonReport& report) {
  const pm::VariantResult& first = report.rows.front();
  const pm::Metric& metric = first.evaluation.metrics.front();
  const std::string at_a_time =
      report.threads == 1 ? "one image at a time" : format("%d images at a time, a thread each", report.threads);
  std::string text = format(
      "%s on %s: %d people%s; mean of %s in %s, median time per person, %s\n\n", report.network.c_str(),
      report.data.c_str(), first.evaluation.people - first.evaluation.left_out,
      left_out_text(first.evaluation.left_out).c_str(), metric.heading.c_str(), metric.unit.c_str(), at_a_time.c_str());
  text += format("%-20s  %8s  %10s  %8s\n", "", metric.title.c_str(), "difference", "ms");
  const auto number = [](int width, const char* form, double value) {
    return std::isfinite(value) ? format(form, width, value) : format("%*s", width, "-");
  };
  for (const pm::VariantResult& row : report.rows) {
    text += format("%-20s  ", row.variant.name.c_str()) + number(8, "%*.2f", mean_of(row)) + "  ";
    text += (&row == &first ? std::string(10, ' ') : number(10, "%+*.2f", mean_of(row) - mean_of(first))) + "  ";
    text += number(8, "%*.1f", 1000 * row.median_seconds) + "\n";
  }
  return text;
}

pm::Json to_json(const ComparisonReport& report) {
  const pm::VariantResult& first = report.rows.front();
  const pm::Metric& metric = first.evaluation.metrics.front();
  pm::Json json = {{"model", report.model},     {"network", report.network},
                   {"data", report.data},       {"people", first.evaluation.people - first.evaluation.left_out},
                   {"metric", metric.name},     {"unit", metric.unit},
                   {"threads", report.threads}, {"rows", pm::Json::array()}};
  if (first.evaluation.left_out > 0) json["left_out"] = first.evaluation.left_out;
  add_left_out(json, report.left_out);
  for (const pm::VariantResult& row : report.rows) {
    json["rows"].push_back({{"name", row.variant.name},
                            {"options", test_time_to_json(row.variant.options)},
                            {"mean", figure(mean_of(row))},
                            {"difference", figure(mean_of(row) - mean_of(first))},
                            {"ms", figure(1000 * row.median_seconds)}});
  }
  return json;
}

}  // namespace tool
