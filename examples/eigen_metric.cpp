// eigen_metric: a metric of one's own on Eigen's views: how far estimates are off in shape, wherever and however large.
#include <posemachine/core/error.hpp>
#include <posemachine/eigen.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/metrics.hpp>
#include <posemachine/pose/pose.hpp>

#include <Eigen/Geometry>

#include <cstddef>
#include <cstdio>
#include <span>
#include <vector>

namespace pm = posemachine;

namespace {

// docs: begin metric
// The distance that remains between truth and estimate once place, size and turn agree, in pixels of the truth.
pm::MetricResult measure_shape(std::span<const pm::MeasuredPerson> people, std::span<const pm::Keypoints> estimates) {
  pm::MetricResult result;
  double sum = 0;
  for (std::size_t i = 0; i < people.size(); ++i) {
    try {
      sum += pm::fit_similarity(estimates[i], people[i].truth).residual;
      ++result.people;
    } catch (const pm::DataError&) {  // fewer than two joints are both labelled and found
    }
  }
  result.mean = sum / result.people;
  return result;
}

constexpr pm::MetricKind shape{.name = "shape",
                               .does = "distance that is left after Procrustes alignment",
                               .make = [](pm::MetricSpec spec, const pm::JointSet&) {
                                 pm::Metric metric;
                                 metric.name = metric.key = metric.title = metric.heading = spec.kind;
                                 metric.unit = "px";
                                 metric.can_measure = [](const pm::MeasuredPerson&) { return true; };
                                 metric.measure = measure_shape;
                                 return metric;
                               }};
// docs: end metric

}  // namespace

int main() {
  const pm::JointSet joints = pm::lsp_joints();
  pm::MeasuredPerson person;
  for (std::size_t j = 0; j < joints.joints.size(); ++j) {
    const double height = static_cast<double>(j);
    person.truth.push_back({{100 + 7 * static_cast<double>(j * j % 11), 300 - 20 * height}, pm::JointState::visible});
  }

  // docs: begin views
  pm::Keypoints estimate(joints.joints.size(), pm::Keypoint{.score = 1});
  auto positions = pm::positions_of(estimate);  // n x 2, the keypoints' own numbers
  positions = pm::positions_of(person.truth);
  // A tenth larger, turned by a tenth of a radian, somewhere else.
  positions = 1.1 * positions * Eigen::Rotation2Dd(0.1).toRotationMatrix().transpose();
  positions.rowwise() += Eigen::RowVector2d(30, -20);
  // docs: end views

  // docs: begin use
  const pm::MetricKinds kinds{shape};
  const std::vector<pm::MeasuredPerson> people{person};
  const std::vector<pm::Keypoints> estimates(1, estimate);
  for (const char* const name : {"epe", "shape"}) {
    const pm::MetricResult result = kinds.make(name, joints).measure(people, estimates);
    std::printf("the %s: %.2f px\n", name, result.mean);
  }
  // docs: end use
}
