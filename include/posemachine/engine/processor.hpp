// The processor and the oneDNN that computes on it.
#pragma once

#include <posemachine/core/config.hpp>

#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

/// The newest instructions that oneDNN generates kernels for here, as ONEDNN_MAX_CPU_ISA names them: "AVX2",
/// "AVX512_CORE_BF16".
std::string instruction_set();

/// The version of the oneDNN library that runs, "2.6.0": the program may have been compiled with the headers of another.
std::string onednn_version();

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/processor.ipp>
#endif
