// KernelTable: how a device runs each operation.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/graph/op_info.hpp>

#include <span>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

/// One row per operation. A value: devices that are given one keep a copy.
class KernelTable {
 public:
  /// Errors: UsageError for an operation that is there already, and for a row without operation or function.
  void add(const EngineOp& row);
  void add(std::span<const EngineOp> rows);

  /// Another way to run an operation. Errors: UsageError for an operation that is not there.
  void replace(const EngineOp& row);

  /// Null where there is none.
  const EngineOp* find(const OpInfo& op) const;

 private:
  std::vector<EngineOp> rows_;
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/kernel_table.ipp>
#endif
