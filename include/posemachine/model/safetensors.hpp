// safetensors: named tensors with a header that says where each one lies.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/tensor.hpp>

#include <bit>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

static_assert(std::endian::native == std::endian::little, "safetensors payloads are little-endian, copied as they are");

struct NamedTensor {
  std::string name;
  AnyTensor tensor;
};

/// How a file is read.
struct TensorFileOptions {
  bool finite_only = true;        // refuse a NaN or an infinity
  bool skip_other_types = false;  // leave out tensors of types that the library has not, instead of refusing the file
};

/// The content of a safetensors file.
struct TensorFile {
  std::map<std::string, std::string> metadata;
  std::vector<NamedTensor> tensors;

  /// The tensor of that name, or null.
  const AnyTensor* find(std::string_view name) const;
};

/// Reads the bytes of a safetensors file; `where` names it in messages. Types: F32, BF16, F16, I8, U8 and I32.
/// Errors: ModelError naming file and field for anything that is not exactly as the format says, and, with finite_only,
/// tensor and element of a NaN or an infinity. Source: the safetensors format, with the checks of its reference reader.
TensorFile parse_safetensors(std::string_view bytes, const std::string& where, const TensorFileOptions& options = {});

/// The largest file that is read.
inline constexpr std::uint64_t max_tensor_file_bytes = std::uint64_t{4} << 30;

/// Errors: ModelError as parse_safetensors, and for a file that cannot be read or is larger than max_tensor_file_bytes.
TensorFile read_safetensors(const std::filesystem::path& path, const TensorFileOptions& options = {});

/// The bytes of a safetensors file: equal content gives equal bytes. Tensors stand in the given order; the header is
/// padded with spaces so that data begins at a multiple of 8. Errors: ModelError naming the tensor for what no reader
/// would take back: a name twice, `__metadata__` as a name, a shape that is not that of the values, text not in UTF-8.
std::string write_safetensors(const TensorFile& file);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/model/safetensors.ipp>
#endif
