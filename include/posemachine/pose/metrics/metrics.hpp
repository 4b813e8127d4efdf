// MetricKinds: the metrics that are known by name, KIND[@THRESHOLD][:NORMALISER], and those measured by default.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/base/named_rows.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/model/joint_set.hpp>
#include <posemachine/pose/metrics/calibration_error.hpp>
#include <posemachine/pose/metrics/end_point_error.hpp>
#include <posemachine/pose/metrics/metric.hpp>
#include <posemachine/pose/metrics/oks.hpp>
#include <posemachine/pose/metrics/pck.hpp>
#include <posemachine/pose/metrics/pcp.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Kinds by name. The default holds those of the library: MetricKinds{my_kind} adds one's own.
class MetricKinds : public NamedRows<MetricKind> {
 public:
  MetricKinds()
      : NamedRows("metric", "@:",
                  {pck_kind, pckh_kind, pdj_kind, area_under_curve_kind, end_point_error_kind, pcp_strict_kind,
                   pcp_loose_kind, oks_kind, calibration_error_kind}) {}

  /// Errors: UsageError for a kind that makes nothing, or with a name that is empty, has one of "@:", is another's or
  /// stands in results for something else.
  MetricKinds(std::initializer_list<MetricKind> own) : MetricKinds() {
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

  /// A line per kind: "pck[@T][:torso, box]  joints within ...".
  std::string description() const {
    std::string text;
    for (const MetricKind& kind : all()) {
      std::string line = std::string(kind.name) + (kind.has_threshold ? "[@T]" : "");
      if (!kind.normalisers.empty()) line += "[:" + std::string(kind.normalisers) + "]";
      text += (text.empty() ? "" : "\n") + line + ": " + std::string(kind.does);
    }
    return text;
  }

  /// Errors: UsageError for another kind, a threshold that is no number above 0, or parts that the kind does not take.
  MetricSpec parse(const std::string& text) const {
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

  /// Errors: as parse(), for a spec that was not parsed, too; UsageError where the joint set lacks what the metric
  /// needs.
  Metric make(const std::string& text, const JointSet& joints) const { return make(parse(text), joints); }
  Metric make(const MetricSpec& spec, const JointSet& joints) const {
    const MetricKind& kind = get(spec.kind, "metric");
    check_parts(kind, spec, "metric \"" + detail::excerpt(to_string(spec), 100) + "\"");
    check(joints);
    return kind.make(spec, joints);
  }

 private:
  [[noreturn]] static void refuse_normaliser(const MetricKind& kind, const std::string& where, const std::string& got) {
    fail<UsageError>({.where = where,
                      .expected = kind.normalisers.empty() ? std::string("no normaliser")
                                                           : "one of " + std::string(kind.normalisers),
                      .got = "\"" + detail::excerpt(got, 40) + "\""});
  }

  static void check_parts(const MetricKind& kind, const MetricSpec& spec, const std::string& where) {
    if (spec.threshold && !kind.has_threshold) {
      fail<UsageError>({.where = where,
                        .expected = "no threshold",
                        .got = "\"" + to_string({"", spec.threshold, ""}).substr(1) + "\""});
    }
    if (!spec.normaliser.empty() && !takes(kind, spec.normaliser)) refuse_normaliser(kind, where, spec.normaliser);
  }

  static bool takes(const MetricKind& kind, std::string_view normaliser) {
    std::string_view rest = kind.normalisers;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(", "), rest.size());
      if (rest.substr(0, end) == normaliser) return true;
      rest.remove_prefix(std::min(end + 2, rest.size()));
    }
    return false;
  }
};

/// The metrics that are measured unless others are asked for: PCK by the torso, by the box of a joint set without one,
/// or as `pck` says; and of the people, as far as it can be measured of any, strict PCP, PCKh and OKS.
inline std::vector<Metric> default_metrics(const JointSet& joints, std::span<const MeasuredPerson> people,
                                           MetricSpec pck = {"pck", {}, ""}) {
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

}  // namespace posemachine::inline POSEMACHINE_BUILD
