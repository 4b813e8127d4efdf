// dump_rates BASE WARMUP_STEPS FINAL_FRACTION STEPS_PER_EPOCH EPOCHS COOLDOWN_EPOCHS RATE_STEP_EPOCHS RATE_STEP_FACTOR:
// a line per schedule of posemachine train that needs no validation: its name and the learning rate of every step.
#include <posemachine/training/learning_rate.hpp>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace pm = posemachine;

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() != 8) {
    std::fprintf(stderr,
                 "usage: dump_rates BASE WARMUP_STEPS FINAL_FRACTION STEPS_PER_EPOCH EPOCHS COOLDOWN_EPOCHS "
                 "RATE_STEP_EPOCHS RATE_STEP_FACTOR\n");
    return 2;
  }
  try {
    const std::int64_t steps_per_epoch = std::stoll(words[3]);
    pm::LearningRate rate;
    rate.base = std::stod(words[0]);
    rate.warmup_steps = std::stoll(words[1]);
    rate.final_fraction = std::stod(words[2]);
    rate.total_steps = steps_per_epoch * std::stoll(words[4]);
    rate.cooldown_steps = steps_per_epoch * std::stoll(words[5]);
    rate.step_size = steps_per_epoch * std::stoll(words[6]);
    rate.step_factor = std::stod(words[7]);
    for (const pm::RateSchedule& schedule : pm::RateSchedules().all()) {
      if (schedule.lowers_at_plateau) continue;
      std::printf("%s", std::string(schedule.name).c_str());
      for (std::int64_t step = 0; step < rate.total_steps; ++step) std::printf(" %.17g", rate_at(rate, schedule, step));
      std::printf("\n");
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dump_rates: %s\n", error.what());
    return 1;
  }
}
