// Random draws that are a function of what they are for, never of when or on which thread they are made.
#pragma once

#include <posemachine/core/config.hpp>

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <numbers>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// What a draw is for; part of its stream, so that adding a draw of one kind changes no other.
enum class Purpose : std::uint64_t { weights = 1, order = 2, augmentation = 3, dropout = 4, test = 5, stand_in = 6 };

/// SplitMix64's finaliser: a bijection of 64 bits whose every output bit depends on every input bit.
constexpr std::uint64_t mix_bits(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

/// A stream of draws for (seed, purpose, epoch or step, sample, node): equal arguments give equal draws, everywhere.
/// Source: SplitMix64 (Steele, Lea, Flood 2014), the key folded in word by word.
class RandomStream {
 public:
  constexpr RandomStream(std::uint64_t seed, Purpose purpose, std::uint64_t epoch_or_step = 0, std::uint64_t sample = 0,
                         std::uint64_t node = 0) {
    for (const std::uint64_t word : {seed, static_cast<std::uint64_t>(purpose), epoch_or_step, sample, node}) {
      state_ = mix_bits(state_ + golden + word);
    }
  }

  constexpr std::uint64_t bits() { return mix_bits(state_ += golden); }

  /// Uniform in [0, 1), a multiple of 2^-53.
  constexpr double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

  /// Uniform in [low, high).
  constexpr double uniform(double low, double high) { return low + (high - low) * uniform(); }

  /// Uniform in 0 .. count - 1; count must be at least 1. The bias of a 64-bit remainder, below count / 2^64, is
  /// accepted.
  constexpr std::uint64_t below(std::uint64_t count) { return bits() % count; }

  /// Normal with mean 0 and variance 1. Source: Box and Muller 1958.
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  static constexpr std::uint64_t golden = 0x9e3779b97f4a7c15ULL;  // 2^64 / the golden ratio
  std::uint64_t state_ = 0;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
