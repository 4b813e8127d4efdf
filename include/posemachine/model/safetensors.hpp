// safetensors: named float tensors with a header that says where each one lies.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

static_assert(std::endian::native == std::endian::little, "safetensors payloads are little-endian, copied as they are");

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// The content of a safetensors file.
struct TensorFile {
  std::map<std::string, std::string> metadata;
  std::vector<NamedTensor> tensors;

  /// The tensor of that name, or null.
  const Tensor* find(std::string_view name) const {
    for (const NamedTensor& entry : tensors) {
      if (entry.name == name) return &entry.tensor;
    }
    return nullptr;
  }
};

namespace detail {

struct TensorEntry {
  std::string name;
  Shape shape;
  std::uint64_t begin = 0;  // bytes from the start of the data
  std::uint64_t end = 0;
};

inline std::uint64_t size_of_dtype(std::string_view dtype) {
  for (const auto& [name, size] : std::initializer_list<std::pair<std::string_view, std::uint64_t>>{
           {"BOOL", 1}, {"U8", 1}, {"I8", 1}, {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"I16", 2}, {"U16", 2}, {"F16", 2},
           {"BF16", 2}, {"I32", 4}, {"U32", 4}, {"F32", 4}, {"F64", 8}, {"I64", 8}, {"U64", 8}}) {
    if (name == dtype) return size;
  }
  return 0;
}

inline std::uint64_t unsigned_of(const Json& value, const std::string& where) {
  if (!value.is_number_unsigned()) {
    fail<ModelError>({.where = where, .expected = "an integer of at least 0", .got = json_excerpt(value)});
  }
  return value.get<std::uint64_t>();
}

// One entry of the header, checked by itself: type, shape, offsets and that they agree.
inline TensorEntry tensor_entry(const std::string& name, const Json& object, const std::string& file,
                                std::uint64_t data_bytes) {
  const std::string where = file + ": " + excerpt(name);
  reject_unknown_keys<ModelError>(object, {"dtype", "shape", "data_offsets"}, where);
  const std::string dtype = string_member<ModelError>(object, "dtype", where);
  const std::uint64_t element = size_of_dtype(dtype);
  if (element == 0) {
    fail<ModelError>({.where = where + ".dtype", .expected = "a known type", .got = excerpt(dtype, 20)});
  }
  if (dtype != "F32") {
    fail<ModelError>({.where = where + ".dtype", .expected = "F32", .got = dtype, .remedy = "convert the file to F32"});
  }
  TensorEntry entry;
  entry.name = name;
  const Json& shape = array_member<ModelError>(object, "shape", where);
  if (shape.size() > 8) {
    fail<ModelError>({.where = where + ".shape", .expected = "at most 8 extents", .got = std::to_string(shape.size())});
  }
  std::uint64_t bytes = element;
  for (const Json& extent : shape) {
    const std::uint64_t value = unsigned_of(extent, where + ".shape");
    if (value > std::uint64_t{1} << 40 || (value != 0 && bytes > (std::uint64_t{1} << 62) / value)) {
      fail<ModelError>(
          {.where = where + ".shape", .expected = "a size that fits in memory", .got = json_excerpt(shape)});
    }
    bytes *= value;
    entry.shape.push_back(static_cast<std::int64_t>(value));
  }
  const Json& offsets = array_member<ModelError>(object, "data_offsets", where);
  if (offsets.size() != 2) {
    fail<ModelError>({.where = where + ".data_offsets", .expected = "two integers", .got = json_excerpt(offsets)});
  }
  entry.begin = unsigned_of(offsets[0], where + ".data_offsets");
  entry.end = unsigned_of(offsets[1], where + ".data_offsets");
  if (entry.begin > entry.end || entry.end > data_bytes) {
    fail<ModelError>({.where = where + ".data_offsets",
                      .expected = "a range within the " + std::to_string(data_bytes) + " bytes of data",
                      .got = offsets.dump()});
  }
  if (entry.end - entry.begin != bytes) {
    fail<ModelError>({.where = where + ".data_offsets",
                      .expected = std::to_string(bytes) + " bytes for shape " + shape.dump(),
                      .got = std::to_string(entry.end - entry.begin)});
  }
  return entry;
}

// Sorted by offset, the tensors must tile the data: no hole, no overlap, no byte left over.
inline void require_tiling(std::vector<const TensorEntry*> entries, const std::string& file, std::uint64_t data_bytes) {
  std::sort(entries.begin(), entries.end(), [](const TensorEntry* a, const TensorEntry* b) {
    return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
  });
  std::uint64_t at = 0;
  for (const TensorEntry* entry : entries) {
    if (entry->begin != at) {
      fail<ModelError>({.where = file + ": " + excerpt(entry->name) + ".data_offsets",
                        .expected = "data from byte " + std::to_string(at) + ", without holes or overlaps",
                        .got = std::to_string(entry->begin)});
    }
    at = entry->end;
  }
  if (at != data_bytes) {
    fail<ModelError>({.where = file,
                      .expected = std::to_string(at) + " bytes of tensor data",
                      .got = std::to_string(data_bytes),
                      .remedy = "the file is cut off or has bytes that belong to no tensor"});
  }
}

}  // namespace detail

/// Reads the bytes of a safetensors file; `where` names it in messages. Only float32 tensors are taken.
/// Errors: ModelError naming file and field for anything that is not exactly as the format says, and, with finite_only,
/// tensor and element of a NaN or an infinity. Source: the safetensors format, with the checks of its reference reader.
inline TensorFile parse_safetensors(std::string_view bytes, const std::string& where, bool finite_only = true) {
  if (bytes.size() < 8) {
    fail<ModelError>({.where = where, .expected = "a safetensors file",
                      .got = std::to_string(bytes.size()) + " bytes"});
  }
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), 8);
  const std::uint64_t limit = std::min<std::uint64_t>(std::uint64_t{16} << 20, bytes.size() - 8);
  if (header_bytes > limit) {
    fail<ModelError>({.where = where + ": header length",
                      .expected = "at most " + std::to_string(limit),
                      .got = std::to_string(header_bytes),
                      .remedy = "the file is cut off or is no safetensors file"});
  }
  const std::string_view header = bytes.substr(8, header_bytes);
  if (header.empty() || header.front() != '{') {
    fail<ModelError>({.where = where + ": header", .expected = "a JSON object", .got = "something else"});
  }
  const Json object = parse_json<ModelError>(header, where + ": header");
  const std::string_view data = bytes.substr(8 + header_bytes);
  TensorFile file;
  std::vector<detail::TensorEntry> entries;
  for (const auto& [name, value] : object.items()) {
    if (name != "__metadata__") {
      entries.push_back(detail::tensor_entry(name, value, where, data.size()));
      continue;
    }
    if (!value.is_object()) {
      fail<ModelError>({.where = where + ": __metadata__", .expected = "an object", .got = value.type_name()});
    }
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) {
        fail<ModelError>({.where = detail::field(where + ": __metadata__", key),
                          .expected = "a string",
                          .got = text.type_name()});
      }
      file.metadata[key] = text.get<std::string>();
    }
  }
  std::vector<const detail::TensorEntry*> pointers;
  for (const detail::TensorEntry& entry : entries) pointers.push_back(&entry);
  detail::require_tiling(pointers, where, data.size());
  for (const detail::TensorEntry& entry : entries) {
    file.tensors.push_back({entry.name, Tensor(entry.shape)});
    std::vector<float>& values = file.tensors.back().tensor.values;
    if (!values.empty()) std::memcpy(values.data(), data.data() + entry.begin, values.size() * sizeof(float));
    if (!finite_only) continue;
    const auto bad = std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
    if (bad != values.end()) {
      fail<ModelError>({.where = where + ": " + detail::excerpt(entry.name),
                        .expected = "finite values",
                        .got = std::to_string(*bad) + " at element " + std::to_string(bad - values.begin())});
    }
  }
  return file;
}

/// Errors: ModelError as parse_safetensors, and for a file that cannot be read or has more than 4 GiB.
inline TensorFile read_safetensors(const std::filesystem::path& path, bool finite_only = true) {
  return parse_safetensors(read_file<ModelError>(path, std::uint64_t{4} << 30), path.string(), finite_only);
}

/// The bytes of a safetensors file: equal content gives equal bytes. Tensors stand in the given order; the header is
/// padded with spaces so that data begins at a multiple of 8. Errors: ModelError naming the tensor for what no reader
/// would take back: a name twice, `__metadata__` as a name, a shape that is not that of the values, text not in UTF-8.
inline std::string write_safetensors(const TensorFile& file) {
  Json header = Json::object();
  if (!file.metadata.empty()) header["__metadata__"] = file.metadata;
  std::uint64_t at = 0;
  for (const NamedTensor& entry : file.tensors) {
    const Shape& shape = entry.tensor.shape;
    const std::string where = "safetensors: " + detail::excerpt(entry.name);
    if (entry.name == "__metadata__" || header.contains(entry.name)) {
      fail<ModelError>({.where = where, .expected = "a name of its own", .got = "one that is taken"});
    }
    if (shape.size() > 8 || std::any_of(shape.begin(), shape.end(), [](std::int64_t extent) { return extent < 0; }) ||
        static_cast<std::uint64_t>(element_count(shape)) != entry.tensor.values.size()) {
      fail<ModelError>({.where = where,
                        .expected = std::to_string(entry.tensor.values.size()) + " values in at most 8 extents",
                        .got = "shape " + to_string(shape)});
    }
    const std::uint64_t size = entry.tensor.values.size() * sizeof(float);
    header[entry.name] = {{"dtype", "F32"}, {"shape", entry.tensor.shape}, {"data_offsets", {at, at + size}}};
    at += size;
  }
  std::string text = write_json<ModelError>(header, "safetensors: header");
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::string bytes(8, '\0');
  const std::uint64_t header_bytes = text.size();
  std::memcpy(bytes.data(), &header_bytes, 8);
  bytes += text;
  bytes.reserve(bytes.size() + at);
  for (const NamedTensor& entry : file.tensors) {
    bytes.append(reinterpret_cast<const char*>(entry.tensor.values.data()), entry.tensor.values.size() * sizeof(float));
  }
  return bytes;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
