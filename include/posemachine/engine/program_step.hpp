// What one step of a program is and does, for tables, profiles and tests.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <cstdint>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

/// One step of a program. A step that others were fused into stands for them too.
struct ProgramStep {
  int node = -1;
  std::string operation;           // "convolution", or with what it ends in: "convolution + add + relu"; "reorder"
  std::string block;               // "Trunk_1.Conv_1"; empty outside of all
  std::string description;         // "node 12 (convolution in Trunk_1.Conv_1)"
  std::string implementation;      // oneDNN's name for the kernel, or ours
  std::string layout;              // of dst: "plain", "blocked", "channels last"; "plain > blocked" where src differs
  std::string shape;               // of dst: "1 x 32 x 46 x 46"
  std::int64_t multiply_adds = 0;  // of the whole batch
  std::int64_t bytes = 0;          // read and written: maps and weights
  std::int64_t moved_bytes = 0;    // read and written only to stand elsewhere, or in another layout
};

namespace detail {

std::string layout_name(Layout layout);
ProgramStep program_step(const schedule::Schedule& schedule, const schedule::Step& step, const Kernel& kernel);

}  // namespace detail

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/program_step.ipp>
#endif
