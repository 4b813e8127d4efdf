// The definitions of training/constant_pose.hpp.
#pragma once

#include <posemachine/training/constant_pose.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/data/read_frames.hpp>
#include <posemachine/pose/decode.hpp>
#include <posemachine/pose/decoders/quarter_offset.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE std::vector<Keypoint> constant_pose(std::span<const Person> people, const JointSet& joints,
                                                       LoaderOptions options, std::size_t most_people) {
  std::vector<Person> some;
  const std::size_t step = std::max<std::size_t>(1, people.size() / std::max<std::size_t>(1, most_people));
  for (std::size_t i = 0; i < people.size() && some.size() < most_people; i += step) some.push_back(people[i]);
  const auto is_usable = [&](const Person& person) {
    return options.damaged == nullptr || !options.damaged->contains(person.image);
  };
  if (std::any_of(some.begin(), some.end(), is_usable)) {  // otherwise it is said where they are read
    std::erase_if(some, [&](const Person& person) { return !is_usable(person); });
  }
  options.augment = false;
  options.batch = 1;
  options.first = options.count = 0;
  options.cache_bytes = 0;  // nobody is seen twice
  const std::size_t count = some.size();
  const BatchMaker batches(std::move(some), joints, options);
  Tensor sum;
  for (std::size_t i = 0; i < count; ++i) {
    const Batch batch = batches(i);
    if (sum.values.empty()) sum = Tensor(batch.targets.shape);
    const std::size_t cells = batch.targets.values.size() / batch.map_weights.values.size();
    for (std::size_t k = 0; k < sum.values.size(); ++k) {
      sum.values[k] += batch.map_weights.values[k / cells] * batch.targets.values[k] / static_cast<float>(count);
    }
  }
  return decode_heatmaps(view_of(sum), static_cast<int>(joints.joints.size()), options.stride, quarter_offset_decoder,
                         options.sigma_px);
}

POSEMACHINE_INLINE MetricResult measure_constant_pose(std::span<const Keypoint> pose, std::span<const Person> people,
                                                      const Metric& metric, const CropRule& crop, Size input,
                                                      const std::shared_ptr<DamagedImages>& damaged,
                                                      const std::vector<int>& frames) {
  const FrameReader reader(frames, PixelKind::rgb8);
  const std::vector<MeasuredPerson> all = measured_people(people);
  std::vector<MeasuredPerson> measured;
  std::vector<Keypoints> answers;
  for (std::size_t i = 0; i < people.size(); ++i) {
    const Person& person = people[i];
    const std::optional<FrameImages> read = reader.unless_damaged(person.image, damaged.get());
    if (!read) continue;
    const Size image{read->current().height(), read->current().width()};
    const Affine to_image = image_from_input(evaluation_square(person, image.width, image.height, crop), input);
    Keypoints answer(pose.begin(), pose.end());
    for (Keypoint& keypoint : answer) {
      if (keypoint.found()) keypoint.position = apply(to_image, keypoint.position);
    }
    measured.push_back(all[i]);
    measured.back().box = person_box(person, image.width, image.height);
    measured.back().image_side = std::max(image.width, image.height);
    answers.push_back(std::move(answer));
  }
  return metric.measure(measured, answers);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
