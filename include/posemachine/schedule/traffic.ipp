// The definitions of schedule/traffic.hpp.
#pragma once

#include <posemachine/schedule/traffic.hpp>

#include <posemachine/graph/graph.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

namespace detail {

POSEMACHINE_INLINE Traffic::Traffic(const Schedule& schedule)
    : writer(schedule.values.size(), -1), readers(schedule.values.size(), 0), reader(schedule.values.size(), -1) {
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    const Step& step = schedule.steps[i];
    step.for_each_read([&](int value) { note_reader(value, i); });
    if (step.dst >= 0) writer[static_cast<std::size_t>(step.dst)] = static_cast<int>(i);
  }
  for (const Port& output : schedule.graph->outputs) ++readers[static_cast<std::size_t>(output.value)];
}

POSEMACHINE_INLINE void Traffic::note_reader(int value, std::size_t step) {
  ++readers[static_cast<std::size_t>(value)];
  reader[static_cast<std::size_t>(value)] = static_cast<int>(step);
}

}  // namespace detail

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
