// make_aligned: zeros, aligned, small and large.
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

}  // namespace aligned_memory_test
