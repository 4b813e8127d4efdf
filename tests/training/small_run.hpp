// What the tests of training share: a folder, pictures of people, a network that trains in milliseconds.
#pragma once

#include "temporary_folder.hpp"

#include <posemachine/compose.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/training/train_options.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace small_run {

namespace pm = posemachine;

using Folder = test_environment::TemporaryFolder;

inline std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// clang-format off: compositions, one part after another
/// Batch norm and dropout, two stages, 15 maps at stride 8.
struct Tiny : pm::Network<
    pm::Input<"image", 3>, pm::ConvReLU<8, 3, pm::Norm::batch>, pm::AveragePool<8>, pm::Dropout<pm::Percent{20}>,
    pm::Tag<"trunk">, pm::Conv<15, 1>, pm::Output<"heatmaps">,
    pm::From<"trunk">, pm::ConvReLU<5, 3>, pm::Conv<15, 1>, pm::Output<"heatmaps">> {};
// clang-format on

inline pm::Model tiny_model(std::uint64_t seed = 3) {
  pm::ModelSpec spec;
  spec.input_height = spec.input_width = 32;
  return pm::Model::random<Tiny>(seed, spec);
}

/// Pictures of noise; every third person has joints without labels where `some_unlabelled`.
inline std::vector<pm::Person> noise_people(const Folder& folder, int count, bool some_unlabelled, std::uint64_t seed) {
  std::vector<pm::Person> people;
  for (int i = 0; i < count; ++i) {
    pm::Image image(30 + i, 40);
    pm::RandomStream stream(seed, pm::Purpose::test, 0, std::uint64_t(i));
    for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(stream.below(256));
    pm::Person person{folder / ("p" + std::to_string(seed) + "_" + std::to_string(i) + ".png"),
                      "made",
                      i + 1,
                      {},
                      pm::Framing::image};
    pm::write_png(person.image, image);
    for (int j = 0; j < 14; ++j) {
      const bool labelled = !some_unlabelled || i % 3 != 2 || j < 9;
      person.joints.push_back({{stream.uniform(2, 28), stream.uniform(2, 38)},
                               labelled ? pm::JointState::visible : pm::JointState::unlabelled});
    }
    people.push_back(person);
  }
  return people;
}

/// 14 people to train on and 3 to validate with, made once.
struct Set {
  Folder folder;
  std::vector<pm::Person> people = noise_people(folder, 14, true, 1);
  std::vector<pm::Person> validation = noise_people(folder, 3, false, 2);
};
inline const Set& set() {
  static const Set made;
  return made;
}

/// 14 people are 3 steps an epoch with two left over; 3 epochs are 9 steps.
inline pm::TrainOptions tiny_options() {
  pm::TrainOptions options;
  options.seed = 5;
  options.epochs = 3;
  options.batch = 4;
  options.slice = 2;
  options.workers = 1;
  options.warmup_steps = 2;
  options.checkpoint_steps = 2;
  options.validate_epochs = 2;
  return options;
}

}  // namespace small_run
