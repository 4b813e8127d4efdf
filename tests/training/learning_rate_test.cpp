// Learning-rate schedules at steps computed by hand.
#include <posemachine/training/learning_rate.hpp>

#include <doctest/doctest.h>

#include <cstdint>

namespace learning_rate_test {

using namespace posemachine;
using doctest::Approx;

TEST_CASE("rate_at: constant stays, and warm-up rises linearly from base / steps to the base rate") {
  LearningRate rate{.base = 0.4, .schedule = "constant"};
  CHECK(rate_at(rate, 0) == 0.4);
  CHECK(rate_at(rate, 1'000'000) == 0.4);
  rate.warmup_steps = 4;
  CHECK(rate_at(rate, 0) == Approx(0.1));
  CHECK(rate_at(rate, 1) == Approx(0.2));
  CHECK(rate_at(rate, 3) == Approx(0.4));
  CHECK(rate_at(rate, 4) == 0.4);
}

TEST_CASE("rate_at: step multiplies by the factor at every step_size-th step, counted from the start") {
  const LearningRate rate{.base = 1, .schedule = "step", .warmup_steps = 2, .step_size = 10, .step_factor = 0.5};
  CHECK(rate_at(rate, 0) == Approx(0.5));  // warm-up
  CHECK(rate_at(rate, 9) == 1);
  CHECK(rate_at(rate, 10) == 0.5);
  CHECK(rate_at(rate, 19) == 0.5);
  CHECK(rate_at(rate, 20) == 0.25);
  CHECK(rate_at(rate, 35) == 0.125);
}

TEST_CASE("rate_at: cosine starts after the warm-up, is half way at half time and ends at the final share") {
  const LearningRate rate{
      .base = 2, .schedule = "cosine", .warmup_steps = 10, .total_steps = 110, .final_fraction = 0.1};
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
      .base = 2, .schedule = "constant", .total_steps = 110, .final_fraction = 0.1, .cooldown_steps = 10};
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
  const LearningRate rate{.base = 1, .schedule = "cosine", .warmup_steps = 100, .total_steps = 10};
  CHECK(rate_at(rate, 0) == Approx(0.01));
  CHECK(rate_at(rate, 9) == Approx(0.1));
}

TEST_CASE("learning rate: a polynomial falls from the warm-up's end to the final fraction, by DeepLab's power") {
  const LearningRate rate{
      .base = 2, .schedule = "polynomial", .warmup_steps = 10, .total_steps = 110, .final_fraction = 0.1};
  CHECK(rate_at(rate, 0) == doctest::Approx(0.2));
  CHECK(rate_at(rate, 10) == doctest::Approx(2));
  CHECK(rate_at(rate, 60) == doctest::Approx(2 * (0.1 + 0.9 * std::pow(0.5, 0.9))));
  CHECK(rate_at(rate, 110) == doctest::Approx(0.2));
  for (int step = 11; step < 110; ++step) CHECK(rate_at(rate, step) < rate_at(rate, step - 1));
}

TEST_CASE(
    "learning rate: a schedule of one's own is multiplied by base and warm-up; unknown and wrong ones are refused") {
  constexpr RateSchedule halves{.name = "halves", .factor = [](const LearningRate& options, std::int64_t step) {
                                  return 2 * step < options.total_steps ? 1.0 : 0.5;
                                }};
  const RateSchedules schedules{halves};
  LearningRate rate{.base = 2, .schedule = "halves", .warmup_steps = 2, .total_steps = 10};
  CHECK(rate_at(rate, 0, schedules) == 1);
  CHECK(rate_at(rate, 4, schedules) == 2);
  CHECK(rate_at(rate, 5, schedules) == 1);
  CHECK_THROWS_WITH_AS(static_cast<void>(rate_at(rate, 0)), doctest::Contains("one of constant, step"), UsageError);
  CHECK_THROWS_WITH_AS(RateSchedules{RateSchedule{.name = "none"}}, doctest::Contains("a function factor"), UsageError);
  CHECK_THROWS_WITH_AS(RateSchedules{step_schedule}, doctest::Contains("a name of its own"), UsageError);
}

}  // namespace learning_rate_test
