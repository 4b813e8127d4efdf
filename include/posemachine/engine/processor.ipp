// The definitions of engine/processor.hpp.
#pragma once

#include <posemachine/engine/processor.hpp>

#include <oneapi/dnnl/dnnl.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

POSEMACHINE_INLINE std::string instruction_set() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41: return "SSE41";
    case dnnl::cpu_isa::avx: return "AVX";
    case dnnl::cpu_isa::avx2: return "AVX2";
    case dnnl::cpu_isa::avx2_vnni: return "AVX2_VNNI";
    case dnnl::cpu_isa::avx512_core: return "AVX512_CORE";
    case dnnl::cpu_isa::avx512_core_vnni: return "AVX512_CORE_VNNI";
    case dnnl::cpu_isa::avx512_core_bf16: return "AVX512_CORE_BF16";
    case dnnl::cpu_isa::avx512_core_amx: return "AVX512_CORE_AMX";
    default: return "ISA " + std::to_string(static_cast<int>(dnnl::get_effective_cpu_isa()));
  }
}

POSEMACHINE_INLINE std::string onednn_version() {
  const dnnl_version_t* version = dnnl_version();
  return std::to_string(version->major) + "." + std::to_string(version->minor) + "." + std::to_string(version->patch);
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
