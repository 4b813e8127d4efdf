// Residents: the answers of Schedule::place() and of scans over all values, while values move together.
#include <posemachine/core/random.hpp>
#include <posemachine/schedule/residents.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace residents_test {

using namespace posemachine;
using namespace posemachine::schedule;

namespace {

int below(RandomStream& stream, int count) { return static_cast<int>(stream.below(static_cast<std::uint64_t>(count))); }

bool overlap(const Schedule& schedule, int a, int b) {
  const Schedule::Place one = schedule.place(a), other = schedule.place(b);
  return one.root == other.root && other.channel_offset < one.channel_offset + schedule.value(a).c &&
         one.channel_offset < other.channel_offset + schedule.value(b).c;
}

}  // namespace

TEST_CASE("Residents: places, first writes and overlaps are those that a scan of the schedule finds") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    RandomStream stream(seed, Purpose::order, 0);
    const int count = 2 + below(stream, 30);
    Schedule schedule;
    schedule.values.resize(static_cast<std::size_t>(count));
    for (int id = 0; id < count; ++id) {
      ScheduledValue& value = schedule.value(id);
      value.c = 1 + below(stream, 6);
      value.first_step = below(stream, 8) == 0 ? -1 : id;  // some are never written
      value.last_step = id + below(stream, 12);
      if (id > 0 && below(stream, 3) == 0) {
        value.parent = below(stream, id);
        value.channel_offset = below(stream, 5);
      }
    }
    schedule::detail::Residents residents(schedule);
    for (int at = 0; at < count; ++at) {
      for (int a = 0; a < count; ++a) {
        const Schedule::Place place = schedule.place(a);
        REQUIRE(residents.root(a) == place.root);
        REQUIRE(residents.offset_in_root(a) == place.channel_offset - schedule.value(place.root).channel_offset);
        const int except = below(stream, count);
        int first_write = std::numeric_limits<int>::max();
        bool read_after = false, lives = false;
        for (int b = 0; b < count; ++b) {
          REQUIRE(residents.are_together(a, b) == (schedule.place(b).root == place.root));
          const ScheduledValue& other = schedule.value(b);
          if (other.first_step < 0) continue;
          if (schedule.place(b).root == place.root) first_write = std::min(first_write, other.first_step);
          if (b == except || !overlap(schedule, a, b)) continue;
          read_after = read_after || other.last_step > at;
          lives = lives || (b != a && other.first_step <= at);
        }
        REQUIRE(residents.first_write(a) == first_write);
        REQUIRE(residents.is_read_after(a, at, except) == read_after);
        REQUIRE(residents.overlaps_any(a, except,
                                       [&](const ScheduledValue& other) { return other.first_step <= at; }) == lives);
      }
      // A root moves into another buffer.
      const int part = below(stream, count), whole = below(stream, count);
      if (schedule.value(part).parent >= 0 || schedule.place(whole).root == part) continue;
      schedule.value(part).parent = whole;
      schedule.value(part).channel_offset = below(stream, 4);
      residents.put(part, whole, schedule.value(part).channel_offset);
    }
  }
}

}  // namespace residents_test
