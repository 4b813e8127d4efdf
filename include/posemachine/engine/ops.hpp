// How the library runs every operation, in one list.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/device.hpp>
#include <posemachine/engine/kernel.hpp>
#include <posemachine/engine/kernel_table.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

/// The library's kernels, on oneDNN.
const KernelTable& library_kernels();

/// How a device runs an operation, or null. A user's operation is run by its own kernels, unless the device has others.
const EngineOp* find_kernel(const Device& device, const OpInfo& op);

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/ops.ipp>
#endif
