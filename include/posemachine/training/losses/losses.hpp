// LossKinds: the losses that are known by name.
#pragma once

#include <posemachine/base/named_rows.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/training/losses/cross_entropy.hpp>
#include <posemachine/training/losses/huber.hpp>
#include <posemachine/training/losses/loss_kind.hpp>
#include <posemachine/training/losses/squared_error.hpp>

#include <initializer_list>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Losses by name. The default holds those of the library: LossKinds{my_loss} adds one's own.
class LossKinds : public NamedRows<LossKind> {
 public:
  LossKinds() : NamedRows("loss", "", {squared_error_loss, cross_entropy_loss, huber_loss}) {}

  /// Errors: UsageError for a loss that computes nothing, or with a name that is empty or another's.
  LossKinds(std::initializer_list<LossKind> own) : LossKinds() {
    for (const LossKind& kind : own) add(kind, kind.compute != nullptr, "a function compute");
  }
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
