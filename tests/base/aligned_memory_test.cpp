// make_aligned: zeros, aligned, small and large.
#include "environment.hpp"

#include <posemachine/base/aligned_memory.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace aligned_memory_test {

using namespace posemachine;

TEST_CASE("make_aligned: zeros on whole cache lines; from 2 MiB on, where a large page may begin") {
  constexpr std::size_t large = (std::size_t{2} << 20) / sizeof(float);
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{1000}, large - 1, large, 3 * large + 7}) {
    const AlignedArray<float> memory = make_aligned<float>(count);
    REQUIRE(memory != nullptr);
    const auto address = reinterpret_cast<std::uintptr_t>(memory.get());
    CHECK(address % 64 == 0);
    if (count >= large) CHECK(address % (std::uintptr_t{2} << 20) == 0);
    CHECK(std::all_of(memory.get(), memory.get() + count, [](float value) { return value == 0; }));
  }
}

TEST_CASE("make_aligned: large arrays take no memory before they are written") {
  const double before = test_environment::resident_bytes();
  const AlignedArray<float> memory = make_aligned<float>(std::size_t{1} << 28);  // 1 GiB
  memory[std::size_t{1} << 27] = 1;
  if (!test_environment::is_sanitized) CHECK(test_environment::resident_bytes() - before < 16e6);
  CHECK(memory[(std::size_t{1} << 28) - 1] == 0);
}

}  // namespace aligned_memory_test
