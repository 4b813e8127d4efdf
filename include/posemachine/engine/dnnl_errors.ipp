// The definitions of engine/dnnl_errors.hpp.
#pragma once

#include <posemachine/engine/dnnl_errors.hpp>

#include <oneapi/dnnl/dnnl_debug.h>

#include <new>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {
namespace detail {

POSEMACHINE_INLINE void fail_with(const dnnl::error& error, const std::string& where) {
  if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
  fail<RuntimeFailure>({.where = where,
                        .expected = "a primitive of oneDNN's",
                        .got = std::string(dnnl_status2str(error.status)) + ", \"" + error.what() + "\"",
                        .remedy = "ONEDNN_VERBOSE=2 says more; another oneDNN, or ONEDNN_MAX_CPU_ISA, may help"});
}

}  // namespace detail
}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
