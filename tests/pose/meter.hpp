// A metric that people are added to one by one, as tests count them.
#pragma once

#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/metrics.hpp>
#include <posemachine/pose/pose.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pose_test {

class Meter {
 public:
  explicit Meter(const std::string& metric, const posemachine::JointSet& joints = posemachine::lsp_joints())
      : metric_(posemachine::MetricKinds().make(metric, joints)) {}

  void add(posemachine::MeasuredPerson person, posemachine::Keypoints estimate) {
    people_.push_back(std::move(person));
    estimates_.push_back(std::move(estimate));
  }
  void add(std::vector<posemachine::Joint> truth, posemachine::Keypoints estimate,
           std::optional<posemachine::Box> box = std::nullopt) {
    add(posemachine::MeasuredPerson{0, std::move(truth), box, {}, {}, {}}, std::move(estimate));
  }
  /// A person of whom every joint is labelled.
  void add(const std::vector<posemachine::Point>& truth, posemachine::Keypoints estimate) {
    std::vector<posemachine::Joint> joints;
    for (const posemachine::Point& point : truth) joints.push_back({point, posemachine::JointState::visible});
    add(std::move(joints), std::move(estimate));
  }

  const posemachine::Metric& metric() const { return metric_; }
  posemachine::MetricResult result() const { return metric_.measure(people_, estimates_); }

 private:
  posemachine::Metric metric_;
  std::vector<posemachine::MeasuredPerson> people_;
  std::vector<posemachine::Keypoints> estimates_;
};

}  // namespace pose_test
