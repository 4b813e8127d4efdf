// OptimizerKinds: the optimisers that are known by name.
#pragma once

#include <posemachine/base/named_rows.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/training/optimizers/adamw.hpp>
#include <posemachine/training/optimizers/optimizer_kind.hpp>
#include <posemachine/training/optimizers/radam.hpp>
#include <posemachine/training/optimizers/rmsprop.hpp>
#include <posemachine/training/optimizers/sgd.hpp>

#include <initializer_list>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Optimisers by name. The default holds those of the library: OptimizerKinds{my_optimiser} adds one's own.
class OptimizerKinds : public NamedRows<OptimizerKind> {
 public:
  OptimizerKinds() : NamedRows("optimiser", "", {rmsprop_optimizer, sgd_optimizer, adamw_optimizer, radam_optimizer}) {}

  /// Errors: UsageError for an optimiser without an update, or with a name that is empty or another's.
  OptimizerKinds(std::initializer_list<OptimizerKind> own) : OptimizerKinds() {
    for (const OptimizerKind& kind : own) add(kind, kind.update != nullptr, "a function update");
  }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
