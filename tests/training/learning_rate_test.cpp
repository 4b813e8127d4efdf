// Learning-rate schedules at steps computed by hand.
#include <posemachine/training/learning_rate.hpp>

#include <doctest/doctest.h>

#include <cstdint>

namespace learning_rate_test {

using namespace posemachine;
using doctest::Approx;

TEST_CASE("rate_at: constant stays, and warm-up rises linearly from base / steps to the base rate") {
  LearningRate rate{.base = 0.4, .schedule = RateSchedule::constant};
  CHECK(rate_at(rate, 0) == 0.4);
  CHECK(rate_at(rate, 1'000'000) == 0.4);
  rate.warmup_steps = 4;
  CHECK(rate_at(rate, 0) == Approx(0.1));
  CHECK(rate_at(rate, 1) == Approx(0.2));
  CHECK(rate_at(rate, 3) == Approx(0.4));
  CHECK(rate_at(rate, 4) == 0.4);
}

TEST_CASE("rate_at: step multiplies by the factor at every step_size-th step, counted from the start") {
  const LearningRate rate{
      .base = 1, .schedule = RateSchedule::step, .warmup_steps = 2, .step_size = 10, .step_factor = 0.5};
  CHECK(rate_at(rate, 0) == Approx(0.5));  // warm-up
  CHECK(rate_at(rate, 9) == 1);
  CHECK(rate_at(rate, 10) == 0.5);
  CHECK(rate_at(rate, 19) == 0.5);
  CHECK(rate_at(rate, 20) == 0.25);
  CHECK(rate_at(rate, 35) == 0.125);
}

TEST_CASE("rate_at: cosine starts after the warm-up, is half way at half time and ends at the final share") {
  const LearningRate rate{
      .base = 2, .schedule = RateSchedule::cosine, .warmup_steps = 10, .total_steps = 110, .final_fraction = 0.1};
  CHECK(rate_at(rate, 4) == Approx(1));
  CHECK(rate_at(rate, 10) == Approx(2));
  CHECK(rate_at(rate, 35) == Approx(2 * (0.1 + 0.9 * 0.5 * (1 + 0.7071067811865476))));  // a quarter: cos 45 degrees
  CHECK(rate_at(rate, 60) == Approx(1.1));
  CHECK(rate_at(rate, 110) == Approx(0.2));
  CHECK(rate_at(rate, 5000) == Approx(0.2));
  double before = rate_at(rate, 10);
  for (std::int64_t step = 11; step <= 110; ++step) {
    CHECK(rate_at(rate, step) < before);
    before = rate_at(rate, step);
  }
}

TEST_CASE("rate_at: a constant rate falls linearly to the final share in its cool-down, and without one not at all") {
  const LearningRate rate{
      .base = 2, .schedule = RateSchedule::constant, .total_steps = 110, .final_fraction = 0.1, .cooldown_steps = 10};
  CHECK(rate_at(rate, 50) == 2);
  CHECK(rate_at(rate, 100) == 2);
  CHECK(rate_at(rate, 105) == Approx(2 * (0.1 + 0.9 * 0.5)));
  CHECK(rate_at(rate, 109) == Approx(2 * (0.1 + 0.9 * 0.1)));
  CHECK(rate_at(rate, 500) == Approx(0.2));
  LearningRate constant = rate;
  constant.cooldown_steps = 0;
  CHECK(rate_at(constant, 109) == 2);
}

TEST_CASE("rate_at: a run shorter than its warm-up only rises") {
  const LearningRate rate{.base = 1, .schedule = RateSchedule::cosine, .warmup_steps = 100, .total_steps = 10};
  CHECK(rate_at(rate, 0) == Approx(0.01));
  CHECK(rate_at(rate, 9) == Approx(0.1));
}

}  // namespace learning_rate_test
