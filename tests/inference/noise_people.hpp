// People in pictures of noise, whose truth is what a stage of an estimator says of them.
#pragma once

#include "noise.hpp"

#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/estimate.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/pose/pose.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace test_environment {

/// `count` people, each in a picture of their own in the folder.
inline std::vector<posemachine::Person> noise_people(const std::filesystem::path& folder,
                                                     posemachine::Estimator& estimator, std::size_t stage, int count) {
  std::vector<posemachine::Person> people;
  for (int i = 0; i < count; ++i) {
    const posemachine::Image image = noise(60 + 5 * i, 80, static_cast<std::uint64_t>(i));
    posemachine::Person person;
    person.image = folder / ("im" + std::to_string(i) + ".png");
    person.dataset = "lsp";
    person.number = i + 1;
    posemachine::write_png(person.image, image);
    const posemachine::Estimate estimate = estimator.estimate_stages(image);
    for (const posemachine::Keypoint& keypoint : estimate.stages[stage].keypoints) {
      person.joints.push_back({keypoint.position, posemachine::JointState::visible});
    }
    people.push_back(person);
  }
  return people;
}

}  // namespace test_environment
