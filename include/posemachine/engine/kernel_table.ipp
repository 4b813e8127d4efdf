// The definitions of engine/kernel_table.hpp.
#pragma once

#include <posemachine/engine/kernel_table.hpp>

#include <posemachine/core/error.hpp>

#include <algorithm>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

POSEMACHINE_INLINE void KernelTable::add(const EngineOp& row) {
  if (row.op == nullptr || row.make == nullptr) {
    fail<UsageError>({.where = "kernel table", .expected = "an operation and a function", .got = "a row without"});
  }
  if (find(*row.op) != nullptr) {
    fail<UsageError>({.where = "kernel table",
                      .expected = "one row per operation",
                      .got = "another for " + std::string(row.op->name),
                      .remedy = "use replace()"});
  }
  rows_.push_back(row);
}

POSEMACHINE_INLINE void KernelTable::add(std::span<const EngineOp> rows) {
  for (const EngineOp& row : rows) add(row);
}

POSEMACHINE_INLINE void KernelTable::replace(const EngineOp& row) {
  const auto found = std::find_if(rows_.begin(), rows_.end(), [&](const EngineOp& each) { return each.op == row.op; });
  if (found == rows_.end() || row.make == nullptr) {
    const std::string name = row.op != nullptr ? std::string(row.op->name) : "none";
    fail<UsageError>({.where = "kernel table", .expected = "an operation of the table, and a function", .got = name});
  }
  *found = row;
}

POSEMACHINE_INLINE const EngineOp* KernelTable::find(const OpInfo& op) const {
  const auto found = std::find_if(rows_.begin(), rows_.end(), [&](const EngineOp& each) { return each.op == &op; });
  return found != rows_.end() ? &*found : nullptr;
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
