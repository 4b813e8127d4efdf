// oneDNN's errors as the library's: none leaves engine/ as it is.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <oneapi/dnnl/dnnl.hpp>

#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {
namespace detail {

/// Throws std::bad_alloc where oneDNN has no memory, RuntimeFailure naming `where` and its status otherwise.
[[noreturn]] void fail_with(const dnnl::error& error, const std::string& where);

/// Returns what `call` does. Errors: an error of oneDNN's as fail_with, naming what `where` returns; others as they are.
template <class Where, class Call>
decltype(auto) with_own_errors(const Where& where, const Call& call) {
  try {
    return call();
  } catch (const dnnl::error& error) {
    fail_with(error, where());
  }
}

}  // namespace detail
}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/dnnl_errors.ipp>
#endif
