#include <posemachine/core/random.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

namespace random_test {

namespace pm = posemachine;

namespace {

std::vector<std::uint64_t> draws(pm::RandomStream stream, int count) {
  std::vector<std::uint64_t> values;
  for (int i = 0; i < count; ++i) values.push_back(stream.bits());
  return values;
}

// Bits that differ between two draws: 32 of 64 on average where they are independent.
int differing_bits(std::uint64_t a, std::uint64_t b) { return __builtin_popcountll(a ^ b); }

}  // namespace

TEST_CASE("mix_bits: SplitMix64 from seed 1234567 gives its published values") {
  std::uint64_t state = 1234567;
  for (const std::uint64_t expected : {6457827717110365317ULL, 3203168211198807973ULL, 9817491932198370423ULL}) {
    state += 0x9e3779b97f4a7c15ULL;
    CHECK(pm::mix_bits(state) == expected);
  }
}

TEST_CASE("RandomStream: the values of a key never change, or every stored seed would mean something else") {
  const std::array<std::uint64_t, 3> of_test{0x4e5433f3360f6aa9, 0x66297c04286f0084, 0x98385c4d71b58d2f};
  pm::RandomStream test(1234567, pm::Purpose::test, 3, 2, 1);
  for (const std::uint64_t expected : of_test) CHECK(test.bits() == expected);

  const std::array<std::uint64_t, 3> of_weights{0x08fb9b6c0c4c8910, 0x41461eb696a4a123, 0x4665e517e03224b4};
  pm::RandomStream weights(0, pm::Purpose::weights);
  for (const std::uint64_t expected : of_weights) CHECK(weights.bits() == expected);

  static_assert(pm::RandomStream(0, pm::Purpose::weights).bits() == 0x08fb9b6c0c4c8910, "the same at compile time");
}

TEST_CASE("RandomStream: changing any one part of the key changes the stream") {
  const std::vector<pm::RandomStream> streams{
      pm::RandomStream(1, pm::Purpose::order, 2, 3, 4),   pm::RandomStream(2, pm::Purpose::order, 2, 3, 4),
      pm::RandomStream(1, pm::Purpose::dropout, 2, 3, 4), pm::RandomStream(1, pm::Purpose::order, 3, 3, 4),
      pm::RandomStream(1, pm::Purpose::order, 2, 4, 4),   pm::RandomStream(1, pm::Purpose::order, 2, 3, 5),
      pm::RandomStream(1, pm::Purpose::order, 3, 2, 4)};  // the last: parts exchanged
  std::set<std::uint64_t> seen;
  for (const pm::RandomStream& stream : streams) {
    for (const std::uint64_t value : draws(stream, 100)) seen.insert(value);
  }
  CHECK(seen.size() == streams.size() * 100);
}

TEST_CASE("RandomStream: neighbouring samples are independent bit by bit") {
  // 1000 pairs of 64 bits: mean 32, standard deviation of the mean 4 / sqrt(1000) = 0.126; 5 deviations are 0.63.
  double sum = 0;
  for (std::uint64_t sample = 0; sample < 1000; ++sample) {
    pm::RandomStream one(9, pm::Purpose::augmentation, 0, sample);
    pm::RandomStream next(9, pm::Purpose::augmentation, 0, sample + 1);
    sum += differing_bits(one.bits(), next.bits());
  }
  CHECK(std::abs(sum / 1000 - 32) < 0.63);
}

TEST_CASE("RandomStream::uniform: lies in [0, 1) with mean 1/2 and variance 1/12") {
  pm::RandomStream stream(5, pm::Purpose::test);
  const int count = 20000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < count; ++i) {
    const double u = stream.uniform();
    REQUIRE(u >= 0);
    REQUIRE(u < 1);
    sum += u;
    squares += u * u;
  }
  const double mean = sum / count;
  CHECK(std::abs(mean - 0.5) < 5 * std::sqrt(1.0 / 12 / count));
  // The variance of (u - 1/2)^2 is 1/180.
  CHECK(std::abs(squares / count - mean * mean - 1.0 / 12) < 5 * std::sqrt(1.0 / 180 / count));
}

TEST_CASE("RandomStream::uniform: with bounds stays within them") {
  pm::RandomStream stream(6, pm::Purpose::test);
  for (int i = 0; i < 1000; ++i) {
    const double u = stream.uniform(-40, 40);
    REQUIRE(u >= -40);
    REQUIRE(u < 40);
  }
}

TEST_CASE("RandomStream::below: reaches each of its values, and none beside them") {
  pm::RandomStream stream(7, pm::Purpose::test);
  std::array<int, 7> counts{};
  for (int i = 0; i < 7000; ++i) {
    const std::uint64_t value = stream.below(7);
    REQUIRE(value < 7);
    ++counts[value];
  }
  // Binomial with mean 1000 and deviation sqrt(7000 * 1/7 * 6/7) = 29.3.
  for (const int count : counts) CHECK(std::abs(count - 1000) < 147);
  CHECK(stream.below(1) == 0);
}

TEST_CASE("RandomStream::normal: has mean 0, variance 1 and 68.3 % within one deviation") {
  pm::RandomStream stream(8, pm::Purpose::test);
  const int count = 20000;
  double sum = 0;
  double squares = 0;
  int within = 0;
  for (int i = 0; i < count; ++i) {
    const double n = stream.normal();
    REQUIRE(std::isfinite(n));
    sum += n;
    squares += n * n;
    within += std::abs(n) < 1;
  }
  CHECK(std::abs(sum / count) < 5 / std::sqrt(count));
  CHECK(std::abs(squares / count - 1) < 5 * std::sqrt(2.0 / count));
  CHECK(std::abs(double(within) / count - 0.6827) < 5 * std::sqrt(0.6827 * 0.3173 / count));
}

}  // namespace random_test
