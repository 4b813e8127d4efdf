// KernelTable: how a device runs each operation.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/graph/op_info.hpp>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// One row per operation. A value: devices that are given one keep a copy.
class KernelTable {
 public:
  /// Errors: UsageError for an operation that is there already, and for a row without operation or function.
  void add(const EngineOp& row) {
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
  void add(std::span<const EngineOp> rows) {
    for (const EngineOp& row : rows) add(row);
  }

  /// Another way to run an operation. Errors: UsageError for an operation that is not there.
  void replace(const EngineOp& row) {
    const auto found =
        std::find_if(rows_.begin(), rows_.end(), [&](const EngineOp& each) { return each.op == row.op; });
    if (found == rows_.end() || row.make == nullptr) {
      const std::string name = row.op != nullptr ? std::string(row.op->name) : "none";
      fail<UsageError>({.where = "kernel table", .expected = "an operation of the table, and a function", .got = name});
    }
    *found = row;
  }

  /// Null where there is none.
  const EngineOp* find(const OpInfo& op) const {
    const auto found = std::find_if(rows_.begin(), rows_.end(), [&](const EngineOp& each) { return each.op == &op; });
    return found != rows_.end() ? &*found : nullptr;
  }

 private:
  std::vector<EngineOp> rows_;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
