// MetricKinds: the metrics that are known by name, KIND[@THRESHOLD][:NORMALISER], and those measured by default.
#pragma once

#include <posemachine/base/named_rows.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/metric.hpp>

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Kinds by name. The default holds those of the library: MetricKinds{my_kind} adds one's own.
class MetricKinds : public NamedRows<MetricKind> {
 public:
  MetricKinds();

  /// Errors: UsageError for a kind that makes nothing, or with a name that is empty, has one of "@:", is another's or
  /// stands in results for something else.
  MetricKinds(std::initializer_list<MetricKind> own);

  /// A line per kind: "pck[@T][:torso, box]  joints within ...".
  std::string description() const;

  /// Errors: UsageError for another kind, a threshold that is no number above 0, or parts that the kind does not take.
  MetricSpec parse(const std::string& text) const;

  /// Errors: as parse(), for a spec that was not parsed, too; UsageError where the joint set lacks what the metric
  /// needs.
  Metric make(const std::string& text, const JointSet& joints) const { return make(parse(text), joints); }
  Metric make(const MetricSpec& spec, const JointSet& joints) const;

 private:
  [[noreturn]] static void refuse_normaliser(const MetricKind& kind, const std::string& where, const std::string& got);

  static void check_parts(const MetricKind& kind, const MetricSpec& spec, const std::string& where);

  static bool takes(const MetricKind& kind, std::string_view normaliser);
};

/// The metrics that are measured unless others are asked for: PCK by the torso, by the box of a joint set without one,
/// or as `pck` says; and of the people, as far as it can be measured of any, strict PCP, PCKh and OKS.
std::vector<Metric> default_metrics(const JointSet& joints, std::span<const MeasuredPerson> people,
                                    MetricSpec pck = {"pck", {}, ""});

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/metrics/metrics.ipp>
#endif
