// Who writes and who reads the values of a schedule.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <cstddef>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD::detail {

// Per value: its writer, how many read it, and one of those. A convolution that adds to a value reads it; an output of
// the graph is read once more, by the caller.
struct Traffic {
  std::vector<int> writer;  // step, or -1
  std::vector<int> readers;
  std::vector<int> reader;  // step, or -1

  explicit Traffic(const Schedule& schedule)
      : writer(schedule.values.size(), -1), readers(schedule.values.size(), 0), reader(schedule.values.size(), -1) {
    for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
      const Step& step = schedule.steps[i];
      step.for_each_read([&](int value) { note_reader(value, i); });
      if (step.dst >= 0) writer[static_cast<std::size_t>(step.dst)] = static_cast<int>(i);
    }
    for (const Port& output : schedule.graph->outputs) ++readers[static_cast<std::size_t>(output.value)];
  }

 private:
  void note_reader(int value, std::size_t step) {
    ++readers[static_cast<std::size_t>(value)];
    reader[static_cast<std::size_t>(value)] = static_cast<int>(step);
  }
};

}  // namespace posemachine::inline POSEMACHINE_BUILD::detail
