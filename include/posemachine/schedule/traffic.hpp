// Who writes and who reads the values of a schedule.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <cstddef>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {
namespace detail {

// Per value: its writer, how many read it, and one of those. A convolution that adds to a value reads it; an output of
// the graph is read once more, by the caller.
struct Traffic {
  std::vector<int> writer;  // step, or -1
  std::vector<int> readers;
  std::vector<int> reader;  // step, or -1

  explicit Traffic(const Schedule& schedule);

 private:
  void note_reader(int value, std::size_t step);
};

}  // namespace detail
}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/schedule/traffic.ipp>
#endif
