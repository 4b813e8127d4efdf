// Weights, images, targets and signs as make_reference.py computes them: integers times powers of two, no rounding.
#pragma once

#include <posemachine/core/random.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine::formula {

inline constexpr std::size_t sample_count = 24;
inline constexpr std::size_t map_count = 15;
inline constexpr std::size_t image_px = 64;
inline constexpr std::size_t cells = 8 * 8;  // of a map

/// What a stream of draws is for.
enum class Kind : std::uint64_t { parameters = 1, images, targets, map_weights, positions, signs, centres };

inline RandomStream stream_of(std::uint64_t salt, Kind kind, std::size_t index) {
  return {salt, Purpose::test, static_cast<std::uint64_t>(kind), index};
}

/// -1 to 1, a multiple of 2^-15.
inline float centred(RandomStream& stream) {
  return static_cast<float>(static_cast<int>(stream.bits() >> 48) - 32768) / 32768.0f;
}

/// The value of a parameter from a draw in [-1, 1).
inline float parameter_value(const Parameter& parameter, std::string_view name, float draw) {
  if (name == "weights") {
    std::int64_t power = 1;  // near the sqrt(fan_in / 6) of He's uniform draw
    while (12 * power * power <= parameter.fan_in) power *= 2;
    return draw / static_cast<float>(power);
  }
  if (name == "bias") return draw / 8;
  if (name == "scale") return 0.5f + draw / 8;
  if (name == "shift") return 1 + draw / 4;
  if (name == "mean") return draw / 4;
  return 1 + draw / 2;  // variance
}

/// By parameter id.
inline std::vector<Tensor> parameters(const Graph& graph, std::uint64_t salt) {
  std::vector<Tensor> tensors;
  for (const Parameter& parameter : graph.parameters) {
    RandomStream stream = stream_of(salt, Kind::parameters, tensors.size());
    const auto first = parameter.extents.begin();
    Tensor tensor(Shape(first, first + parameter.rank));
    for (float& value : tensor.values) {
      value = parameter_value(parameter, name_text(graph, parameter.name), centred(stream));
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

struct Batch {
  std::vector<float> images;       // (N, 3, px, px), -1 to 1
  std::vector<float> targets;      // (N, 15, px / 8, px / 8), 0 to 1
  std::vector<float> map_weights;  // (N, 15), 0 for about one in eight, else 1
};

inline Batch batch(std::uint64_t salt, std::size_t step, std::size_t count, std::size_t px = image_px) {
  Batch batch;
  batch.images.resize(count * 3 * px * px);
  batch.targets.resize(count * map_count * (px / 8) * (px / 8));
  batch.map_weights.resize(count * map_count);
  RandomStream images = stream_of(salt, Kind::images, step);
  RandomStream targets = stream_of(salt, Kind::targets, step);
  RandomStream weights = stream_of(salt, Kind::map_weights, step);
  for (float& value : batch.images) value = centred(images);
  for (float& value : batch.targets) value = static_cast<float>(targets.bits() >> 48) / 65536.0f;
  for (float& value : batch.map_weights) value = weights.bits() % 8 != 0 ? 1.0f : 0.0f;
  return batch;
}

/// (N, 1, px, px), 0 to 1: what a network's centre input is fed.
inline std::vector<float> centre_maps(std::uint64_t salt, std::size_t step, std::size_t count, std::size_t px) {
  std::vector<float> maps(count * px * px);
  RandomStream stream = stream_of(salt, Kind::centres, step);
  for (float& value : maps) value = static_cast<float>(stream.bits() >> 48) / 65536.0f;
  return maps;
}

/// The elements of parameter `index` that the files hold: first, last and 22 others.
inline std::array<std::size_t, sample_count> positions(std::uint64_t salt, std::size_t index, std::size_t size) {
  std::array<std::size_t, sample_count> found{0, size - 1};
  RandomStream stream = stream_of(salt, Kind::positions, index);
  for (std::size_t i = 2; i < sample_count; ++i) found[i] = static_cast<std::size_t>(stream.below(size));
  return found;
}

/// Adds to sums[k] the values of parameter `index`, each with the sign that bit k of its draw gives. Signs being drawn
/// evenly, the mean square of a vector's signed sums is its squared L2 norm: sums of two tell their distance.
inline void add_signed_sums(std::uint64_t salt, std::size_t index, std::span<const double> values,
                            std::span<double> sums) {
  RandomStream stream = stream_of(salt, Kind::signs, index);
  for (const double value : values) {
    const std::uint64_t bits = stream.bits();
    for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += (bits >> k & 1) != 0 ? -value : value;
  }
}

}  // namespace posemachine::formula
