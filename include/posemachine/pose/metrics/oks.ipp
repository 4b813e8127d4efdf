// The definitions of pose/metrics/oks.hpp.
#pragma once

#include <posemachine/pose/metrics/oks.hpp>

#include <cstddef>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE std::vector<MetricValue> figures_of(const OksPrecision& found) {
  return {{"AP", found.ap},
          {"AP50", found.ap_50},
          {"AP75", found.ap_75},
          {"AP_medium", found.ap_medium},
          {"AP_large", found.ap_large},
          {"AR", found.ar},
          {"AR50", found.ar_50},
          {"AR75", found.ar_75},
          {"AR_medium", found.ar_medium},
          {"AR_large", found.ar_large}};
}

POSEMACHINE_INLINE double object_keypoint_similarity(const OksTruth& truth, std::span<const Keypoint> keypoints,
                                                     std::span<const double> sigmas) {
  const bool labelled =
      std::any_of(truth.joints.begin(), truth.joints.end(), [](const Joint& joint) { return joint.is_labelled(); });
  const double left = truth.box.x - truth.box.width, right = truth.box.x + 2 * truth.box.width;
  const double top = truth.box.y - truth.box.height, bottom = truth.box.y + 2 * truth.box.height;
  double sum = 0;
  int count = 0;
  for (std::size_t j = 0; j < sigmas.size(); ++j) {
    if (labelled && !truth.joints[j].is_labelled()) continue;
    ++count;
    if (!keypoints[j].found()) continue;
    const auto& [x, y] = keypoints[j].position;
    const double dx = labelled ? x - truth.joints[j].position.x : std::max(0.0, left - x) + std::max(0.0, x - right);
    const double dy = labelled ? y - truth.joints[j].position.y : std::max(0.0, top - y) + std::max(0.0, y - bottom);
    const double variance = 4 * sigmas[j] * sigmas[j];
    sum += std::exp(-(dx * dx + dy * dy) / variance / (truth.area + std::numeric_limits<double>::epsilon()) / 2);
  }
  return count == 0 ? 0 : sum / count;
}

namespace detail {

inline constexpr std::size_t most_oks_detections = 20;  // of an image, the best ones

struct AreaRange {
  double least = 0;
  double most = 0;
  bool contains(double area) const { return area >= least && area <= most; }
};

// The detections of all images, judged at one threshold.
struct OksMatches {
  struct Detection {
    double score = 0;
    bool right = false;
    bool ignored = false;
  };
  std::vector<Detection> detections;
  int people = 0;  // who count
};

// One image's truths and its best detections, and how alike they are.
class OksTable {
 public:
  OksTable(const OksImage& image, std::span<const double> sigmas);

  // Each detection, the best first, takes the person it is most like of those still free; those that do not count only
  // where there is no other.
  void match(double threshold, const AreaRange& areas, OksMatches& matches) const;

 private:
  const OksImage* image_;
  std::vector<std::size_t> order_;  // of the detections, the best first
  std::vector<double> similarity_;  // (detections in that order, truths)
};

struct PrecisionRecall {
  double precision = 0;  // the mean at 101 recalls
  double recall = 0;     // the largest
};

// The area of a detection: that of its keypoints' box.
POSEMACHINE_INLINE double area_of(const Keypoints& keypoints) {
  double left = std::numeric_limits<double>::infinity(), top = left, right = -left, bottom = -left;
  for (const Keypoint& keypoint : keypoints) {
    if (!keypoint.found()) continue;
    left = std::min(left, keypoint.position.x);
    right = std::max(right, keypoint.position.x);
    top = std::min(top, keypoint.position.y);
    bottom = std::max(bottom, keypoint.position.y);
  }
  return right > left && bottom > top ? (right - left) * (bottom - top) : 0;
}

POSEMACHINE_INLINE OksTable::OksTable(const OksImage& image, std::span<const double> sigmas) : image_(&image) {
  order_.resize(image.detections.size());
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::stable_sort(order_.begin(), order_.end(),
                   [&](std::size_t a, std::size_t b) { return image.detections[a].score > image.detections[b].score; });
  order_.resize(std::min(order_.size(), most_oks_detections));
  for (const std::size_t detection : order_) {
    for (const OksTruth& truth : image.truths) {
      similarity_.push_back(object_keypoint_similarity(truth, image.detections[detection].keypoints, sigmas));
    }
  }
}

POSEMACHINE_INLINE void OksTable::match(double threshold, const AreaRange& areas, OksMatches& matches) const {
  const std::vector<OksTruth>& truths = image_->truths;
  const auto is_ignored = [&](std::size_t t) {
    return truths[t].ignored || truths[t].crowd || !areas.contains(truths[t].area);
  };
  std::vector<std::size_t> by_worth(truths.size());
  std::iota(by_worth.begin(), by_worth.end(), std::size_t{0});
  std::stable_sort(by_worth.begin(), by_worth.end(),
                   [&](std::size_t a, std::size_t b) { return !is_ignored(a) && is_ignored(b); });
  for (std::size_t t = 0; t < truths.size(); ++t) matches.people += is_ignored(t) ? 0 : 1;
  std::vector<bool> taken(truths.size(), false);
  constexpr std::size_t none = static_cast<std::size_t>(-1);
  for (std::size_t d = 0; d < order_.size(); ++d) {
    double best = std::min(threshold, 1 - 1e-10);
    std::size_t match = none;
    for (const std::size_t t : by_worth) {
      if (taken[t] && !truths[t].crowd) continue;
      if (match != none && !is_ignored(match) && is_ignored(t)) break;
      const double similarity = similarity_[d * truths.size() + t];
      if (similarity < best) continue;
      best = similarity;
      match = t;
    }
    const OksDetection& detection = image_->detections[order_[d]];
    OksMatches::Detection entry{detection.score, match != none, false};
    if (match != none) {
      taken[match] = true;
      entry.ignored = is_ignored(match);
    } else {
      entry.ignored = !areas.contains(area_of(detection.keypoints));
    }
    matches.detections.push_back(entry);
  }
}

POSEMACHINE_INLINE PrecisionRecall precision_recall(OksMatches matches) {
  if (matches.people == 0) {
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    return {none, none};
  }
  std::stable_sort(matches.detections.begin(), matches.detections.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  std::vector<double> recalls, precisions;
  double right = 0, wrong = 0;
  for (const OksMatches::Detection& detection : matches.detections) {
    right += detection.right && !detection.ignored ? 1 : 0;
    wrong += !detection.right && !detection.ignored ? 1 : 0;
    recalls.push_back(right / matches.people);
    precisions.push_back(right / (right + wrong + std::numeric_limits<double>::epsilon()));
  }
  for (std::size_t i = precisions.size(); i > 1; --i)
    precisions[i - 2] = std::max(precisions[i - 2], precisions[i - 1]);
  PrecisionRecall result;
  for (int k = 0; k <= 100; ++k) {
    const auto at = std::lower_bound(recalls.begin(), recalls.end(), sampled_recall(k));
    if (at != recalls.end()) result.precision += precisions[static_cast<std::size_t>(at - recalls.begin())];
  }
  result.precision /= 101;
  if (!recalls.empty()) result.recall = recalls.back();
  return result;
}

}  // namespace detail

POSEMACHINE_INLINE OksPrecision oks_precision(std::span<const OksImage> images, std::span<const double> sigmas) {
  std::vector<detail::OksTable> tables;
  for (const OksImage& image : images) {
    const auto require = [&](std::size_t count) {
      if (count == sigmas.size()) return;
      fail<UsageError>(
          {.where = "OKS", .expected = std::to_string(sigmas.size()) + " joints", .got = std::to_string(count)});
    };
    for (const OksTruth& truth : image.truths) require(truth.joints.size());
    for (const OksDetection& detection : image.detections) require(detection.keypoints.size());
    tables.emplace_back(image, sigmas);
  }
  const auto at = [&](double threshold, const detail::AreaRange& areas) {
    detail::OksMatches matches;
    for (const detail::OksTable& table : tables) table.match(threshold, areas, matches);
    return detail::precision_recall(std::move(matches));
  };
  const auto mean = [&](const detail::AreaRange& areas) {
    detail::PrecisionRecall sum;
    for (int k = 0; k < detail::oks_threshold_count; ++k) {
      const detail::PrecisionRecall each = at(detail::oks_threshold(k), areas);
      sum.precision += each.precision;
      sum.recall += each.recall;
    }
    sum.precision /= detail::oks_threshold_count;
    sum.recall /= detail::oks_threshold_count;
    return sum;
  };
  constexpr double medium = 32.0 * 32.0, large = 96.0 * 96.0, largest = 1e5 * 1e5;
  const detail::PrecisionRecall all = mean({0, largest}), at_50 = at(detail::oks_threshold(0), {0, largest}),
                                at_75 = at(detail::oks_threshold(5), {0, largest});
  const detail::PrecisionRecall mediums = mean({medium, large}), larges = mean({large, largest});
  return {all.precision, at_50.precision, at_75.precision, mediums.precision, larges.precision,
          all.recall,    at_50.recall,    at_75.recall,    mediums.recall,    larges.recall};
}

namespace detail {

POSEMACHINE_INLINE bool has_area(const MeasuredPerson& person, bool by_box) {
  return has_labelled_joint(person) && (by_box ? person.box.has_value() : person.area.has_value());
}

POSEMACHINE_INLINE MetricResult measure_oks(const JointSet& joints, bool by_box, std::span<const MeasuredPerson> people,
                                            std::span<const Keypoints> estimates) {
  check_measured(joints, people, estimates);
  MetricResult result;
  std::map<int, OksImage> images;
  for (std::size_t i = 0; i < people.size(); ++i) {
    const MeasuredPerson& person = people[i];
    if (!has_area(person, by_box)) continue;
    ++result.people;
    const Box box = person.box.value_or(Box{});
    const double area = by_box ? area_of_box * box.width * box.height : *person.area;
    double score = 0;
    for (const Keypoint& keypoint : estimates[i]) score += keypoint.score / static_cast<double>(estimates[i].size());
    OksImage& image = images[person.image];
    image.truths.push_back({person.truth, box, area, false, false});
    image.detections.push_back({estimates[i], score});
  }
  std::vector<OksImage> list;
  for (auto& [number, image] : images) list.push_back(std::move(image));
  const OksPrecision found = oks_precision(list, joints.sigmas);
  for (const MetricValue& figure : figures_of(found)) result.groups.push_back({figure.name, 100 * figure.value});
  result.mean = 100 * found.ap;
  return result;
}

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
