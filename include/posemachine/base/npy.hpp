// NumPy's file format for one array, written.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>

#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The bytes of a .npy file of float32 in C order, which numpy.load reads and can map: data begin at a multiple of 64.
/// Shapes: any number of extents; a header of at most 65535 bytes, thousands of extents. Source: NEP 1, version 1.0.
std::string npy_bytes(const Tensor& tensor);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/base/npy.ipp>
#endif
