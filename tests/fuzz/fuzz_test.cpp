// Every harness over its seeds and over damaged ones: what the fuzzers of ./dev check --fuzz begin with, in seconds.
#include "environment.hpp"
#include "fuzz/harness.hpp"

#include <posemachine/core/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz_test {

namespace {

using posemachine::RandomStream;

constexpr std::array<std::string_view, 16> words{"0",
                                                 "-1",
                                                 "1e308",
                                                 "-1e-308",
                                                 "99999999999999999999",
                                                 "9223372036854775807",
                                                 "2147483648",
                                                 "4294967295",
                                                 "[]",
                                                 "{}",
                                                 "null",
                                                 "true",
                                                 "\"\"",
                                                 "\\u0000",
                                                 "\xff\xff",
                                                 "[[[["};

// One to four slips of a writer or of a disk.
std::string damaged(std::string text, const std::vector<std::string>& seeds, RandomStream& random) {
  const auto place = [&] { return static_cast<std::size_t>(random.below(text.size() + 1)); };
  for (std::uint64_t slips = 1 + random.below(4); slips > 0; --slips) {
    const std::size_t at = place();
    const std::size_t length = std::min<std::size_t>(random.below(17), text.size() - at);
    switch (random.below(7)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ 1 << random.below(8));
        break;
      case 1:
        if (at < text.size()) text[at] = static_cast<char>(random.below(256));
        break;
      case 2: text.erase(at, length); break;
      case 3: text.insert(place(), text.substr(at, length)); break;
      case 4: text.replace(at, length, words[random.below(words.size())]); break;
      case 5: text.resize(at); break;
      default: {
        const std::string& other = seeds[random.below(seeds.size())];
        text.replace(at, length, other, random.below(other.size() + 1), 64);
      }
    }
  }
  return text;
}

}  // namespace

TEST_CASE("fuzz: every harness reads its seeds, and refuses damaged ones with the errors that its reader promises") {
  REQUIRE(fuzz::harnesses().size() == 14);
  for (const fuzz::Harness& harness : fuzz::harnesses()) {
    CAPTURE(harness.name);
    const std::vector<std::string> seeds = harness.seeds();
    for (const std::string& seed : seeds) CHECK_NOTHROW(harness.read(seed));
    CHECK_NOTHROW(fuzz::accepts(harness, ""));
    RandomStream random(1, posemachine::Purpose::test);
    for (int i = 0; i < test_environment::cases(1000); ++i) {
      const std::string input = damaged(seeds[random.below(seeds.size())], seeds, random);
      CAPTURE(input);
      CHECK_NOTHROW(fuzz::accepts(harness, input));
    }
  }
}

}  // namespace fuzz_test
