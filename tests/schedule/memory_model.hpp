// Schedules for tests of passes, and a symbolic run of one: does every step find in memory what it reads?
#pragma once

#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/schedule/cost_model.hpp>
#include <posemachine/schedule/make_schedule.hpp>
#include <posemachine/schedule/memory_plan.hpp>
#include <posemachine/schedule/schedule.hpp>
#include <posemachine/schedule/schedule_passes.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace schedule_test {

namespace pm = posemachine;

/// What a schedule has been through. Max pooling gets a workspace up to its backward node, as in an execution.
struct Scheduling {
  pm::schedule::SchedulePasses passes{};
  bool reuse_memory = true;
  pm::schedule::Mode mode = pm::schedule::Mode::training;
  pm::schedule::CostModel costs{};
};

inline pm::schedule::Schedule schedule_of(const pm::Graph& graph, int batch, pm::Size image, int block,
                                          const Scheduling& options = {}) {
  pm::schedule::Schedule schedule =
      pm::schedule::make_schedule(graph, batch, image, options.mode, pm::schedule::processor_capabilities(block));
  options.passes.run(schedule, {.costs = &options.costs});
  for (std::size_t i = 0; i < schedule.steps.size(); ++i) {
    if (schedule.steps[i].op != &pm::max_pool_op) continue;
    pm::schedule::Workspace workspace{schedule.value(schedule.steps[i].dst).bytes(), static_cast<int>(i),
                                      static_cast<int>(i), 0};
    for (std::size_t k = i; k < schedule.steps.size(); ++k) {
      if (schedule.node(schedule.steps[k]).forward == schedule.steps[i].node) workspace.last_step = static_cast<int>(k);
    }
    schedule.workspaces.push_back(workspace);
  }
  pm::schedule::assign_arena(schedule, options.reuse_memory);
  return schedule;
}

/// The step of a schedule that runs a node, or null where a pass has removed it.
inline const pm::schedule::Step* step_of(const pm::schedule::Schedule& schedule, int node) {
  for (const pm::schedule::Step& step : schedule.steps) {
    if (step.node == node) return &step;
  }
  return nullptr;
}
inline const pm::schedule::Step* step_of(const pm::schedule::Schedule& schedule, pm::Value value) {
  return step_of(schedule, schedule.graph->values[static_cast<std::size_t>(value.id)].producer);
}

/// Runs a schedule with labels for numbers: every float of the arena remembers which number of which value was written
/// there last. It knows nothing of the passes' reasons, only where values say they are.
class MemoryModel {
 public:
  explicit MemoryModel(const pm::schedule::Schedule& schedule)
      : schedule_(schedule), memory_(schedule.arena_bytes / sizeof(float)) {}

  /// What went wrong first, or nothing.
  std::string run() {
    for (std::size_t i = 0; i < schedule_.steps.size() && error_.empty(); ++i)
      run_step(schedule_.steps[i], static_cast<int>(i));
    return error_;
  }

 private:
  struct Label {
    int value = -1;  // -2 - w: workspace w
    int number = -1;
    friend bool operator==(const Label&, const Label&) = default;
  };

  void run_step(const pm::schedule::Step& step, int at) {
    step.for_each_read([&](int value) { expect(value, at); });
    if (step.summand() >= 0) {
      if (schedule_.place(step.summand()).root != schedule_.place(step.dst).root ||
          schedule_.place(step.summand()).channel_offset != schedule_.place(step.dst).channel_offset) {
        error_ = "step " + std::to_string(at) + " adds to value " + std::to_string(step.summand()) +
                 ", which lies elsewhere";
      }
    }
    for (std::size_t w = 0; w < schedule_.workspaces.size(); ++w) {
      if (schedule_.workspaces[w].last_step == at && schedule_.workspaces[w].first_step < at) workspace(w, at, false);
    }
    if (step.dst >= 0) {
      label_shared(step);
      write(step.dst);
    }
    for (std::size_t w = 0; w < schedule_.workspaces.size(); ++w) {
      if (schedule_.workspaces[w].first_step == at) workspace(w, at, true);
    }
    // An output is copied away at once: it must not have been damaged by its own step.
    if (step.dst >= 0) expect(step.dst, at);
  }

  std::size_t first_float(int id) const {
    const pm::schedule::Schedule::Place place = schedule_.place(id);
    const pm::schedule::ScheduledValue& root = schedule_.value(place.root);
    return root.arena_offset / sizeof(float) + static_cast<std::size_t>(place.channel_offset * root.h * root.w);
  }
  int floats(int id) const { return static_cast<int>(schedule_.value(id).bytes() / sizeof(float)); }
  bool is_external(int id) const { return schedule_.value(schedule_.place(id).root).external; }

  // What stands for the numbers of a value: themselves, or numbers of another value in the same place.
  class Labels {
   public:
    Labels(int id, const std::vector<Label>* same) : id_(id), same_(same) {}
    Label operator[](int i) const { return same_ == nullptr ? Label{id_, i} : (*same_)[static_cast<std::size_t>(i)]; }

   private:
    int id_;
    const std::vector<Label>* same_;
  };
  Labels labels(int id) const {
    const auto same = same_.find(id);
    return {id, same == same_.end() ? nullptr : &same->second};
  }

  // A concat does not write the branches that stand in it, an elided slice nothing at all. One image only.
  void label_shared(const pm::schedule::Step& step) {
    const pm::Node& node = schedule_.node(step);
    if (step.kind() != pm::OpKind::concat && !step.elided) return;
    const pm::schedule::ScheduledValue& dst = schedule_.value(step.dst);
    std::vector<Label> made;
    for (int i = 0; i < floats(step.dst); ++i) made.push_back({step.dst, i});
    const auto take = [&](int id, int src_first, int dst_first, int count) {
      const Labels from = labels(id);
      for (int i = 0; i < count; ++i) made.at(static_cast<std::size_t>(dst_first + i)) = from[src_first + i];
    };
    if (step.kind() == pm::OpKind::concat) {
      int channel = 0;
      for (int k = 0; k < node.inputs.count; ++k) {
        const pm::schedule::ScheduledValue& branch = schedule_.value(schedule_.src(step, k));
        if (schedule_.stands_at(schedule_.src(step, k), step.dst, channel)) {
          take(schedule_.src(step, k), 0, channel * dst.h * dst.w, floats(schedule_.src(step, k)));
        }
        channel += branch.c;
      }
    } else if (step.elided) {
      const auto options = pm::unpack<pm::SliceOptions>(node.options);
      take(schedule_.src(step, 0), options.first * dst.h * dst.w, 0, floats(step.dst));
    }
    same_[step.dst] = std::move(made);
  }

  void expect(int id, int at) {
    if (is_external(id) || !error_.empty()) return;
    const Labels wanted = labels(id);
    const Label* const found = &memory_.at(first_float(id));
    const int count = floats(id);
    if (first_float(id) + static_cast<std::size_t>(count) > memory_.size()) {
      error_ = "value " + std::to_string(id) + " reaches beyond the arena";
      return;
    }
    for (int i = 0; i < count; ++i) {
      if (found[i] == wanted[i]) continue;
      error_ = "step " + std::to_string(at) + " (" +
               pm::describe(*schedule_.graph, schedule_.steps[static_cast<std::size_t>(at)].node) + ") finds value " +
               std::to_string(found[i].value) + " where value " + std::to_string(id) + " should be";
      return;
    }
  }

  void write(int id) {
    if (is_external(id)) return;
    const Labels own = labels(id);
    const std::size_t first = first_float(id);
    for (int i = 0; i < floats(id); ++i) {
      if (own[i] == Label{id, i}) memory_.at(first + static_cast<std::size_t>(i)) = {id, i};
    }
  }

  void workspace(std::size_t which, int at, bool writes) {
    const pm::schedule::Workspace& space = schedule_.workspaces[which];
    for (std::size_t i = 0; i < space.bytes / sizeof(float); ++i) {
      Label& found = memory_.at(space.arena_offset / sizeof(float) + i);
      const Label own{-2 - static_cast<int>(which), static_cast<int>(i)};
      if (writes) found = own;
      if (found == own || !error_.empty()) continue;
      error_ = "step " + std::to_string(at) + " finds value " + std::to_string(found.value) + " in workspace " +
               std::to_string(which);
    }
  }

  const pm::schedule::Schedule& schedule_;
  std::vector<Label> memory_;
  std::map<int, std::vector<Label>> same_;
  std::string error_;
};

inline std::string first_damage(const pm::schedule::Schedule& schedule) { return MemoryModel(schedule).run(); }

}  // namespace schedule_test
