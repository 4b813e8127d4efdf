// The definitions of inference/evaluate.hpp.
#pragma once

#include <posemachine/inference/evaluate.hpp>

#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/metrics/metrics.hpp>
#include <posemachine/pose/model_spec.hpp>

#include <posemachine/base/parallel.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/read_frames.hpp>
#include <posemachine/model/model.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE const MetricResult* EvaluationResult::find(std::string_view key, std::size_t stage) const {
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    if (metrics[m].key == key) return &stages[stage][m];
  }
  return nullptr;
}

POSEMACHINE_INLINE const MetricResult& EvaluationResult::pck() const {
  if (const MetricResult* const result = find("pck")) return *result;
  fail<UsageError>({.where = "evaluation", .expected = "PCK among the metrics", .got = "others"});
}

POSEMACHINE_INLINE std::vector<MeasuredPerson> measured_people(std::span<const Person> people) {
  std::map<std::filesystem::path, int> images;
  std::vector<MeasuredPerson> measured;
  for (const Person& person : people) {
    const int image = images.try_emplace(person.image, static_cast<int>(images.size())).first->second;
    measured.push_back({image, person.joints, person_box(person), std::nullopt, person.head_length, person.area});
  }
  return measured;
}

namespace detail {

POSEMACHINE_INLINE void check_people(std::span<const Person> people, const JointSet& joints) {
  if (people.empty()) fail<UsageError>({.where = "evaluation", .expected = "at least one person", .got = "none"});
  for (const Person& person : people) {
    if (person.joints.size() != joints.joints.size()) {
      fail<UsageError>({.where = person.image.string(),
                        .expected = std::to_string(joints.joints.size()) + " joints as the model predicts (joint set " +
                                    joints.name + ")",
                        .got = std::to_string(person.joints.size())});
    }
  }
}

POSEMACHINE_INLINE void check_metrics(std::span<const Metric> metrics, std::span<const MeasuredPerson> people) {
  for (const Metric& metric : metrics) {
    if (std::any_of(people.begin(), people.end(), metric.can_measure)) continue;
    fail<DataError>({.where = "metric " + metric.name,
                     .expected = "at least one person with " + metric.needs,
                     .got = "none of " + std::to_string(people.size()),
                     .remedy = metric.normaliser == "torso" ? "measure by the box" : ""});
  }
}

POSEMACHINE_INLINE void measure(EvaluationResult& result) {
  result.stages.clear();
  const std::vector<Keypoints>& answers = result.estimates.back();
  const auto is_left_out = [](const Keypoints& keypoints) { return keypoints.empty(); };
  result.left_out = static_cast<int>(std::count_if(answers.begin(), answers.end(), is_left_out));
  for (const std::vector<Keypoints>& stage : result.estimates) {
    std::vector<MeasuredPerson> people;
    std::vector<Keypoints> estimates;
    for (std::size_t i = 0; i < stage.size(); ++i) {
      if (stage[i].empty()) continue;
      people.push_back(result.measured[i]);
      estimates.push_back(stage[i]);
    }
    std::vector<MetricResult>& results = result.stages.emplace_back();
    for (const Metric& metric : result.metrics) results.push_back(metric.measure(people, estimates));
  }
}

// An estimator for one thread, with the options of another.
POSEMACHINE_INLINE Estimator single_threaded(const Estimator& estimator) {
  EstimatorOptions options = estimator.options();
  options.threads = 1;
  options.decode_outputs = false;
  return estimator.with(options);
}

POSEMACHINE_INLINE std::vector<TimedEvaluation> evaluate_each(std::span<const Estimator> estimators,
                                                              std::span<const Person> all_people,
                                                              const EvaluateOptions& options) {
  const Model& model = estimators.front().model();
  const ModelSpec& spec = model.spec();
  check_people(all_people, spec.joints);
  const std::vector<MeasuredPerson> all_measured = measured_people(all_people);
  EvaluationResult blank;
  blank.metrics = options.metrics.empty() ? default_metrics(spec.joints, all_measured) : options.metrics;
  check_metrics(blank.metrics, all_measured);
  const std::vector<Person> people = share_of(all_people, options.shard);
  blank.measured = share_of<MeasuredPerson>(all_measured, options.shard);
  blank.people = static_cast<int>(people.size());
  blank.poses.resize(people.size());
  std::vector<TimedEvaluation> evaluations(estimators.size(), TimedEvaluation{blank, {}});
  Workers workers(options.threads);
  std::vector<std::vector<Estimator>> teams(std::size_t(options.threads));  // (threads, estimators)
  for (std::size_t e = 0; e < estimators.size(); ++e) {
    for (std::vector<Estimator>& team : teams) team.push_back(single_threaded(estimators[e]));
    const int stages = estimators[e].options().stages;
    evaluations[e].result.estimates.assign(stages != 0 ? std::size_t(stages) : model.spec().heatmaps.size(),
                                           std::vector<Keypoints>(people.size()));
  }
  const FrameReader reader(spec.frames, pixel_kind(spec), options.limits);
  std::mutex mutex;
  int done = 0;
  workers.for_each(static_cast<int>(people.size()), [&](int index, int slot) {
    const auto i = static_cast<std::size_t>(index);
    const std::optional<FrameImages> read = reader.unless_damaged(people[i].image, options.damaged.get());
    for (std::size_t turn = 0; read && turn < estimators.size(); ++turn) {
      const ImageView image = read->current();
      const std::size_t e = (i + turn) % estimators.size();
      Estimator& own = teams[std::size_t(slot)][e];
      const std::vector<ImageView> frames = read->views();
      const bool ready = own.is_ready_for({spec.input_height, spec.input_width});
      const auto begin = std::chrono::steady_clock::now();
      Estimate estimate = own.estimate_stages(frames, box_in_image(people[i], image.width(), image.height()));
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
      EvaluationResult& result = evaluations[e].result;
      result.measured[i].box = person_box(people[i], image.width(), image.height());
      result.measured[i].image_side = std::max(image.width(), image.height());
      for (std::size_t s = 0; s < estimate.stages.size(); ++s) {
        result.estimates[s][i] = std::move(estimate.stages[s].keypoints);
      }
      result.poses[i] = std::move(estimate.pose);
      if (!ready) continue;
      const std::scoped_lock lock(mutex);
      evaluations[e].seconds.push_back(taken.count());
    }
    const std::scoped_lock lock(mutex);
    ++done;
    if (options.progress) options.progress(done, static_cast<int>(people.size()));
  });

  for (TimedEvaluation& evaluation : evaluations) measure(evaluation.result);
  return evaluations;
}

}  // namespace detail

POSEMACHINE_INLINE EvaluationResult evaluate(const Estimator& estimator, std::span<const Person> people,
                                             const EvaluateOptions& options) {
  return std::move(detail::evaluate_each(std::span(&estimator, 1), people, options).front().result);
}

POSEMACHINE_INLINE EvaluationResult merge(std::span<const EvaluationResult> shares) {
  if (shares.empty()) fail<UsageError>({.where = "merge", .expected = "at least one result", .got = "none"});
  const EvaluationResult& first = shares.front();
  std::size_t people = 0;
  for (const EvaluationResult& share : shares) people += std::size_t(share.people);
  if (people > std::size_t(std::numeric_limits<int>::max())) {
    fail<UsageError>({.where = "merge",
                      .expected = "at most " + std::to_string(std::numeric_limits<int>::max()) + " people in all",
                      .got = std::to_string(people)});
  }
  const auto names = [](const EvaluationResult& result) {
    std::string text;
    for (const Metric& metric : result.metrics) text += (text.empty() ? "" : ", ") + metric.name;
    return std::to_string(result.stages.size()) + " stages of " + text;
  };
  bool all_poses = true;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const EvaluationResult& share = shares[i];
    const Shard shard{static_cast<int>(i) + 1, static_cast<int>(shares.size())};
    const std::string where = "merge: shard " + to_string(shard);
    if (std::size_t(share.people) != share_size(shard, people)) {
      fail<UsageError>(
          {.where = where,
           .expected = std::to_string(share_size(shard, people)) + " of " + std::to_string(people) + " people",
           .got = std::to_string(share.people)});
    }
    if (names(share) != names(first) || share.estimates.size() != first.estimates.size()) {
      fail<UsageError>({.where = where, .expected = names(first) + ", as the first share has", .got = names(share)});
    }
    const auto is_whole = [&](const auto& list) { return list.size() == std::size_t(share.people); };
    if (!is_whole(share.measured) || !std::all_of(share.estimates.begin(), share.estimates.end(), is_whole)) {
      fail<UsageError>({.where = where,
                        .expected = "what was measured and estimated of " + std::to_string(share.people) + " people",
                        .got = "of others"});
    }
    all_poses = all_poses && is_whole(share.poses);
  }

  EvaluationResult whole;
  whole.people = static_cast<int>(people);
  whole.metrics = first.metrics;
  const auto join = [&](auto&& part) {
    std::vector<std::decay_t<decltype(part(first))>> parts;
    for (const EvaluationResult& share : shares) parts.push_back(part(share));
    return join_shares(std::move(parts));
  };
  whole.measured = join([](const EvaluationResult& share) { return share.measured; });
  for (std::size_t s = 0; s < first.estimates.size(); ++s) {
    whole.estimates.push_back(join([&](const EvaluationResult& share) { return share.estimates[s]; }));
  }
  detail::measure(whole);
  if (all_poses) whole.poses = join([](const EvaluationResult& share) { return share.poses; });
  return whole;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
