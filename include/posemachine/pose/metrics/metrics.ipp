// The definitions of pose/metrics/metrics.hpp.
#pragma once

#include <posemachine/pose/metrics/metrics.hpp>

#include <posemachine/base/json.hpp>
#include <posemachine/base/text.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/pose/metrics/calibration_error.hpp>
#include <posemachine/pose/metrics/end_point_error.hpp>
#include <posemachine/pose/metrics/oks.hpp>
#include <posemachine/pose/metrics/pck.hpp>
#include <posemachine/pose/metrics/pcp.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <system_error>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE MetricKinds::MetricKinds()
    : NamedRows("metric", "@:",
                {pck_kind, pckh_kind, pdj_kind, area_under_curve_kind, end_point_error_kind, pcp_strict_kind,
                 pcp_loose_kind, oks_kind, calibration_error_kind}) {}

POSEMACHINE_INLINE MetricKinds::MetricKinds(std::initializer_list<MetricKind> own) : MetricKinds() {
  for (const MetricKind& kind : own) {
    constexpr std::array<std::string_view, 9> taken{"people", "stages", "stage", "model", "network",
                                                    "data",   "split",  "boxes", "shard"};
    if (std::find(taken.begin(), taken.end(), kind.name) != taken.end()) {
      fail<UsageError>({.where = "metric \"" + std::string(kind.name) + "\"",
                        .expected = "a name of its own",
                        .got = "one that results have for something else"});
    }
    add(kind, kind.make != nullptr, "a function make");
  }
}

POSEMACHINE_INLINE std::string MetricKinds::description() const {
  std::string text;
  for (const MetricKind& kind : all()) {
    std::string line = std::string(kind.name) + (kind.has_threshold ? "[@T]" : "");
    if (!kind.normalisers.empty()) line += "[:" + std::string(kind.normalisers) + "]";
    text += (text.empty() ? "" : "\n") + line + ": " + std::string(kind.does);
  }
  return text;
}

POSEMACHINE_INLINE MetricSpec MetricKinds::parse(const std::string& text) const {
  const std::string where = "metric \"" + detail::excerpt(text, 100) + "\"";
  MetricSpec spec;
  const std::size_t colon = text.find(':');
  const std::size_t at = text.substr(0, colon).find('@');
  spec.kind = text.substr(0, std::min(colon, at));
  const MetricKind& kind = get(spec.kind, "metric");
  if (at != std::string::npos) {
    const std::string digits = text.substr(at + 1, colon == std::string::npos ? colon : colon - at - 1);
    double value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    const bool whole = read.ec == std::errc{} && read.ptr == digits.data() + digits.size();
    if (!whole || !std::isfinite(value) || !(value > 0)) {
      fail<UsageError>({.where = where,
                        .expected = kind.has_threshold ? "a threshold above 0" : "no threshold",
                        .got = "\"" + digits + "\""});
    }
    spec.threshold = value;
  }
  if (colon != std::string::npos) {
    spec.normaliser = text.substr(colon + 1);
    if (spec.normaliser.empty()) refuse_normaliser(kind, where, "");
  }
  check_parts(kind, spec, where);
  return spec;
}

POSEMACHINE_INLINE Metric MetricKinds::make(const MetricSpec& spec, const JointSet& joints) const {
  const MetricKind& kind = get(spec.kind, "metric");
  check_parts(kind, spec, "metric \"" + detail::excerpt(to_string(spec), 100) + "\"");
  check(joints);
  return kind.make(spec, joints);
}

POSEMACHINE_INLINE void MetricKinds::refuse_normaliser(const MetricKind& kind, const std::string& where,
                                                       const std::string& got) {
  fail<UsageError>(
      {.where = where,
       .expected = kind.normalisers.empty() ? std::string("no normaliser") : "one of " + std::string(kind.normalisers),
       .got = "\"" + detail::excerpt(got, 40) + "\""});
}

POSEMACHINE_INLINE void MetricKinds::check_parts(const MetricKind& kind, const MetricSpec& spec,
                                                 const std::string& where) {
  if (spec.threshold && !kind.has_threshold) {
    fail<UsageError>({.where = where,
                      .expected = "no threshold",
                      .got = "\"" + to_string({"", spec.threshold, ""}).substr(1) + "\""});
  }
  if (!spec.normaliser.empty() && !takes(kind, spec.normaliser)) refuse_normaliser(kind, where, spec.normaliser);
}

POSEMACHINE_INLINE bool MetricKinds::takes(const MetricKind& kind, std::string_view normaliser) {
  std::string_view rest = kind.normalisers;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(", "), rest.size());
    if (rest.substr(0, end) == normaliser) return true;
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  return false;
}

POSEMACHINE_INLINE std::vector<Metric> default_metrics(const JointSet& joints, std::span<const MeasuredPerson> people,
                                                       MetricSpec pck) {
  check(joints);
  std::vector<Metric> metrics{pck_kind.make(std::move(pck), joints)};
  const auto add_if_measurable = [&](Metric metric) {
    if (std::any_of(people.begin(), people.end(), metric.can_measure)) metrics.push_back(std::move(metric));
  };
  if (!joints.sticks.empty()) add_if_measurable(pcp_strict_kind.make({"pcp_strict", {}, ""}, joints));
  add_if_measurable(pckh_kind.make({"pckh", {}, ""}, joints));
  if (!joints.sigmas.empty()) add_if_measurable(oks_kind.make({"oks", {}, ""}, joints));
  return metrics;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
