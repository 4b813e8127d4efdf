// The measured peak of the processor.
#include "peak.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/engine/processor.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <future>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

#if defined(__x86_64__)

constexpr int chains = 12;  // independent: more than latency (4 or 5 cycles) times units (2)

// Something of every register, so that no chain can be left out.
float first_of_all(const void* registers, std::size_t bytes, int count) {
  float total = 0;
  for (int i = 0; i < count; ++i) {
    float value = 0;
    std::memcpy(&value, static_cast<const char*>(registers) + static_cast<std::size_t>(i) * bytes, sizeof value);
    total += value;
  }
  return total;
}

__attribute__((target("avx512f"))) float fma_avx512(long rounds) {
  __m512 sums[chains];
  for (int i = 0; i < chains; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i) * 0x1p-10F);
  const __m512 factor = _mm512_set1_ps(0.999F);
  const __m512 term = _mm512_set1_ps(0x1p-12F);
  for (long round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) sums[i] = _mm512_fmadd_ps(sums[i], factor, term);
  }
  return first_of_all(sums, sizeof sums[0], chains);
}

__attribute__((target("avx2,fma"))) float fma_avx2(long rounds) {
  __m256 sums[chains];
  for (int i = 0; i < chains; ++i) sums[i] = _mm256_set1_ps(static_cast<float>(i) * 0x1p-10F);
  const __m256 factor = _mm256_set1_ps(0.999F);
  const __m256 term = _mm256_set1_ps(0x1p-12F);
  for (long round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) sums[i] = _mm256_fmadd_ps(sums[i], factor, term);
  }
  return first_of_all(sums, sizeof sums[0], chains);
}

struct Loop {
  float (*run)(long) = nullptr;
  double flops = 0;  // of a round
  const char* instructions = "";
};

Loop widest_loop() {
  const bool avx512 = pm::engine::instruction_set().starts_with("AVX512");  // what oneDNN may use
  if (avx512 && __builtin_cpu_supports("avx512f")) return {fma_avx512, 2.0 * 16 * chains, "AVX-512"};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {fma_avx2, 2.0 * 8 * chains, "AVX2"};
  return {};
}

#endif

}  // namespace

Peak measure_peak(int threads) {
#if defined(__x86_64__)
  const Loop loop = widest_loop();
  if (loop.run == nullptr) return {};
  constexpr long rounds = 1'000'000;  // some 3 ms
  constexpr int repeats = 24;
  double best = 0;
  std::barrier<> together(threads);
  std::vector<double> seconds(static_cast<std::size_t>(threads));
  std::promise<bool> all_there;
  const std::shared_future<bool> begin_work = all_there.get_future().share();
  const auto work = [&](int which) {
    if (!begin_work.get()) return;
    for (int repeat = 0; repeat < repeats; ++repeat) {
      together.arrive_and_wait();
      const auto begin = std::chrono::steady_clock::now();
      volatile float kept = loop.run(rounds);
      static_cast<void>(kept);
      const auto end = std::chrono::steady_clock::now();
      seconds[static_cast<std::size_t>(which)] = std::chrono::duration<double>(end - begin).count();
      together.arrive_and_wait();
      if (which != 0) continue;
      const double slowest = *std::max_element(seconds.begin(), seconds.end());
      best = std::max(best, threads * loop.flops * rounds / slowest);
    }
  };
  std::vector<std::jthread> others;
  try {
    for (int i = 1; i < threads; ++i) others.emplace_back(work, i);
  } catch (const std::system_error& error) {
    all_there.set_value(false);
    pm::fail<pm::RuntimeFailure>({.where = std::string("--threads: ") + error.what(), .remedy = "ask for fewer"});
  }
  all_there.set_value(true);
  work(0);
  others.clear();
  return {best, loop.instructions};
#else
  static_cast<void>(threads);
  return {};
#endif
}

}  // namespace tool
