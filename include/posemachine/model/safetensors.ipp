// The definitions of model/safetensors.hpp.
#pragma once

#include <posemachine/model/safetensors.hpp>

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/data_type.hpp>
#include <posemachine/core/error.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <numeric>
#include <set>
#include <span>
#include <utility>
#include <variant>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE const AnyTensor* TensorFile::find(std::string_view name) const {
  for (const NamedTensor& entry : tensors) {
    if (entry.name == name) return &entry.tensor;
  }
  return nullptr;
}

namespace detail {

struct TensorEntry {
  std::string name;
  DataType type = DataType::f32;
  bool is_skipped = false;
  Shape shape;
  std::uint64_t begin = 0;  // bytes from the start of the data
  std::uint64_t end = 0;
};

// The format's names of the types, in the order of DataType.
inline constexpr std::array<std::string_view, data_type_names.size()> dtypes{"F32", "BF16", "F16", "I8", "U8", "I32"};

// Others that the format has, with the bytes of an element.
struct OtherDtype {
  std::string_view name;
  std::uint64_t bytes;
};

inline constexpr std::array other_dtypes{OtherDtype{"BOOL", 1}, OtherDtype{"F8_E5M2", 1}, OtherDtype{"F8_E4M3", 1},
                                         OtherDtype{"I16", 2},  OtherDtype{"U16", 2},     OtherDtype{"U32", 4},
                                         OtherDtype{"I64", 8},  OtherDtype{"U64", 8},     OtherDtype{"F64", 8}};

// Sets the entry's type, or that its tensor is skipped; returns the bytes of an element.
POSEMACHINE_INLINE std::uint64_t read_dtype(const Json& object, const std::string& where, bool skip_other_types,
                                            DataType& type, bool& is_skipped) {
  const std::string dtype = string_member<ModelError>(object, "dtype", where);
  const auto found = std::find(dtypes.begin(), dtypes.end(), dtype);
  if (found != dtypes.end()) {
    type = static_cast<DataType>(found - dtypes.begin());
    return size_of(type);
  }
  const auto other = std::find_if(other_dtypes.begin(), other_dtypes.end(),
                                  [&](const OtherDtype& each) { return each.name == dtype; });
  is_skipped = skip_other_types && other != other_dtypes.end();
  if (is_skipped) return other->bytes;
  fail<ModelError>({.where = where + ".dtype",
                    .expected = "F32, BF16, F16, I8, U8 or I32",
                    .got = excerpt(dtype, 20),
                    .remedy = other != other_dtypes.end() ? "convert the tensor to one of them" : ""});
}

POSEMACHINE_INLINE std::uint64_t unsigned_of(const Json& value, const std::string& where) {
  if (!value.is_number_unsigned()) {
    fail<ModelError>({.where = where, .expected = "an integer of at least 0", .got = json_excerpt(value)});
  }
  return value.get<std::uint64_t>();
}

// One entry of the header, checked by itself: type, shape, offsets and that they agree.
POSEMACHINE_INLINE TensorEntry tensor_entry(const std::string& name, const Json& object, const std::string& file,
                                            std::uint64_t data_bytes, bool skip_other_types) {
  const std::string where = file + ": " + excerpt(name);
  reject_unknown_keys<ModelError>(object, {"dtype", "shape", "data_offsets"}, where);
  TensorEntry entry;
  entry.name = name;
  std::uint64_t bytes = read_dtype(object, where, skip_other_types, entry.type, entry.is_skipped);
  const Json& shape = array_member<ModelError>(object, "shape", where);
  if (shape.size() > 8) {
    fail<ModelError>({.where = where + ".shape", .expected = "at most 8 extents", .got = std::to_string(shape.size())});
  }
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

// The tensors' positions by offset. Errors: ModelError where they do not tile the data: a hole, an overlap, bytes left
// over.
POSEMACHINE_INLINE std::vector<std::size_t> require_tiling(const std::vector<TensorEntry>& entries,
                                                           const std::string& file, std::uint64_t data_bytes) {
  std::vector<std::size_t> order(entries.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(entries[a].begin, entries[a].end) < std::pair(entries[b].begin, entries[b].end);
  });
  std::uint64_t at = 0;
  for (const std::size_t which : order) {
    const TensorEntry& entry = entries[which];
    if (entry.begin != at) {
      fail<ModelError>({.where = file + ": " + excerpt(entry.name) + ".data_offsets",
                        .expected = "data from byte " + std::to_string(at) + ", without holes or overlaps",
                        .got = std::to_string(entry.begin)});
    }
    at = entry.end;
  }
  if (at != data_bytes) {
    fail<ModelError>({.where = file,
                      .expected = std::to_string(at) + " bytes of tensor data",
                      .got = std::to_string(data_bytes),
                      .remedy = "the file is cut off or has bytes that belong to no tensor"});
  }
  return order;
}

// The header's entries in their order, and the metadata, which go into `file`.
POSEMACHINE_INLINE std::vector<TensorEntry> parse_header(std::string_view header, std::uint64_t data_bytes,
                                                         const std::string& where, bool skip_other_types,
                                                         TensorFile& file) {
  if (header.empty() || header.front() != '{') {
    fail<ModelError>({.where = where + ": header", .expected = "a JSON object", .got = "something else"});
  }
  const Json object = parse_json<ModelError>(header, where + ": header");
  std::vector<TensorEntry> entries;
  for (const auto& [name, value] : object.items()) {
    if (name != "__metadata__") {
      entries.push_back(tensor_entry(name, value, where, data_bytes, skip_other_types));
      continue;
    }
    if (!value.is_object()) {
      fail<ModelError>({.where = where + ": __metadata__", .expected = "an object", .got = value.type_name()});
    }
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) {
        fail<ModelError>(
            {.where = field(where + ": __metadata__", key), .expected = "a string", .got = text.type_name()});
      }
      file.metadata[key] = text.get<std::string>();
    }
  }
  return entries;
}

POSEMACHINE_INLINE void require_finite(const NamedTensor& entry, const std::string& where) {
  std::visit(
      [&](const auto& tensor) {
        const auto& values = tensor.values;
        const auto bad = std::find_if(values.begin(), values.end(),
                                      [](auto value) { return !std::isfinite(static_cast<float>(value)); });
        if (bad == values.end()) return;
        fail<ModelError>(
            {.where = where + ": " + excerpt(entry.name),
             .expected = "finite values",
             .got = std::to_string(static_cast<float>(*bad)) + " at element " + std::to_string(bad - values.begin())});
      },
      entry.tensor);
}

// Reads `size` bytes through read(bytes, count), in order: the header is checked as a whole before memory is taken for
// the tensors it speaks of, and they are read to where they stay.
template <class Read>
TensorFile read_tensor_file(std::uint64_t size, const Read& read, const std::string& where,
                            const TensorFileOptions& options) {
  if (size < 8) {
    fail<ModelError>({.where = where, .expected = "a safetensors file", .got = std::to_string(size) + " bytes"});
  }
  std::uint64_t header_bytes = 0;
  read(&header_bytes, sizeof header_bytes);
  const std::uint64_t limit = std::min<std::uint64_t>(std::uint64_t{16} << 20, size - 8);
  if (header_bytes > limit) {
    fail<ModelError>({.where = where + ": header length",
                      .expected = "at most " + std::to_string(limit),
                      .got = std::to_string(header_bytes),
                      .remedy = "the file is cut off or is no safetensors file"});
  }
  std::string header(static_cast<std::size_t>(header_bytes), '\0');
  read(header.data(), header.size());
  const std::uint64_t data_bytes = size - 8 - header_bytes;
  TensorFile file;
  const std::vector<TensorEntry> entries = parse_header(header, data_bytes, where, options.skip_other_types, file);
  const std::vector<std::size_t> order = require_tiling(entries, where, data_bytes);
  std::vector<std::size_t> position(entries.size(), 0);  // in the file's list
  for (std::size_t i = 0; i < entries.size(); ++i) {
    position[i] = file.tensors.size();
    if (!entries[i].is_skipped) file.tensors.push_back({entries[i].name, {}});
  }
  std::vector<char> skipped(std::size_t{1} << 16);
  for (const std::size_t which : order) {
    if (entries[which].is_skipped) {
      for (std::uint64_t left = entries[which].end - entries[which].begin; left > 0;) {
        const std::uint64_t count = std::min<std::uint64_t>(left, skipped.size());
        read(skipped.data(), static_cast<std::size_t>(count));
        left -= count;
      }
      continue;
    }
    NamedTensor& tensor = file.tensors[position[which]];
    tensor.tensor = zeros(entries[which].type, entries[which].shape);
    std::visit([&](auto& each) { read(each.values.data(), std::span(each.values).size_bytes()); }, tensor.tensor);
    if (options.finite_only) require_finite(tensor, where);
  }
  return file;
}

}  // namespace detail

POSEMACHINE_INLINE TensorFile parse_safetensors(std::string_view bytes, const std::string& where,
                                                const TensorFileOptions& options) {
  std::size_t at = 0;
  const auto read = [&](void* into, std::size_t count) {
    if (count > 0) std::memcpy(into, bytes.data() + at, count);
    at += count;
  };
  return detail::read_tensor_file(bytes.size(), read, where, options);
}

POSEMACHINE_INLINE TensorFile read_safetensors(const std::filesystem::path& path, const TensorFileOptions& options) {
  InputFile<ModelError> file(path);
  if (file.size() > max_tensor_file_bytes) {
    fail<ModelError>({.where = path.string(),
                      .expected = "at most " + std::to_string(max_tensor_file_bytes) + " bytes",
                      .got = std::to_string(file.size())});
  }
  const auto read = [&](void* into, std::size_t count) {
    const std::size_t done = file.read(into, count);
    if (done == count) return;
    fail<ModelError>({.where = path.string(),
                      .expected = std::to_string(count) + " more bytes",
                      .got = std::to_string(done),
                      .remedy = "the file became shorter while it was read"});
  };
  return detail::read_tensor_file(file.size(), read, path.string(), options);
}

POSEMACHINE_INLINE std::string write_safetensors(const TensorFile& file) {
  Json::object_t header;
  if (!file.metadata.empty()) header["__metadata__"] = file.metadata;
  std::set<std::string_view> names;  // a Json object would look each of them up from its beginning
  std::uint64_t at = 0;
  for (const NamedTensor& entry : file.tensors) {
    const Shape& shape = shape_of(entry.tensor);
    const std::uint64_t count = std::visit([](const auto& each) { return each.values.size(); }, entry.tensor);
    const std::string where = "safetensors: " + detail::excerpt(entry.name);
    if (entry.name == "__metadata__" || !names.insert(entry.name).second) {
      fail<ModelError>({.where = where, .expected = "a name of its own", .got = "one that is taken"});
    }
    if (shape.size() > 8 || std::any_of(shape.begin(), shape.end(), [](std::int64_t extent) { return extent < 0; }) ||
        static_cast<std::uint64_t>(element_count(shape)) != count) {
      fail<ModelError>({.where = where,
                        .expected = std::to_string(count) + " values in at most 8 extents",
                        .got = "shape " + to_string(shape)});
    }
    const DataType type = type_of(entry.tensor);
    const std::uint64_t size = count * size_of(type);
    Json facts = {
        {"dtype", detail::dtypes[static_cast<std::size_t>(type)]}, {"shape", shape}, {"data_offsets", {at, at + size}}};
    header.Container::emplace_back(entry.name, std::move(facts));
    at += size;
  }
  std::string text = write_json<ModelError>(Json(std::move(header)), "safetensors: header");
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::string bytes(8, '\0');
  const std::uint64_t header_bytes = text.size();
  std::memcpy(bytes.data(), &header_bytes, 8);
  bytes += text;
  bytes.reserve(bytes.size() + at);
  for (const NamedTensor& entry : file.tensors) {
    std::visit(
        [&](const auto& each) {
          bytes.append(reinterpret_cast<const char*>(each.values.data()), std::span(each.values).size_bytes());
        },
        entry.tensor);
  }
  return bytes;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
