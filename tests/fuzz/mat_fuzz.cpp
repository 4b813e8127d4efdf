// MATLAB's files: as they are, and with what stands behind the header as one compressed variable.
#include "fuzz/harness.hpp"

#include <posemachine/data/labels.hpp>
#include <posemachine/data/mat_file.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <zlib.h>

namespace mat_fuzz {

using namespace posemachine;

namespace {

constexpr std::size_t header_bytes = 128;

void put(std::string& to, std::uint64_t value, int bytes, bool little) {
  for (int i = 0; i < bytes; ++i) to += static_cast<char>(value >> (8 * (little ? i : bytes - 1 - i)) & 255U);
}

// A variable of class double with the name "joints", and one of text before it. Source: "MAT-File Format", level 5.
std::string mat(std::initializer_list<std::uint32_t> dims, bool little) {
  std::string file = "MATLAB 5.0 MAT-file";
  file.resize(124, ' ');
  put(file, 0x100, 2, little);
  file += little ? "IM" : "MI";
  const auto element = [&](std::uint32_t class_type, const std::string& name,
                           std::initializer_list<std::uint32_t> extents, std::uint32_t type, int each) {
    std::string body;
    const auto tag = [&](std::uint32_t kind, std::size_t bytes) {
      put(body, kind, 4, little), put(body, bytes, 4, little);
    };
    const auto fill = [&] { body.resize((body.size() + 7) / 8 * 8); };
    tag(6, 8), put(body, class_type, 4, little), put(body, 0, 4, little);
    tag(5, 4 * extents.size());
    for (const std::uint32_t extent : extents) put(body, extent, 4, little);
    fill();
    tag(1, name.size()), body += name, fill();
    std::size_t count = 1;
    for (const std::uint32_t extent : extents) count *= extent;
    tag(type, count * static_cast<std::size_t>(each));
    for (std::size_t i = 0; i < count; ++i) {
      if (each == 1) body += 'a';
      if (each == 8)
        put(body, std::bit_cast<std::uint64_t>(i % 6 >= 4 ? 1.0 : 0.5 * static_cast<double>(i)), 8, little);
    }
    fill();
    put(file, 14, 4, little), put(file, body.size(), 4, little);
    file += body;
  };
  element(4, "note", {1, 3}, 2, 1);
  element(6, "joints", dims, 9, 8);
  return file;
}

std::string compressed(const std::string& file) {
  const bool little = file.substr(header_bytes - 2, 2) == "IM";
  uLongf size = compressBound(static_cast<uLong>(file.size()));
  std::string packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(file.data()) + header_bytes,
           static_cast<uLong>(file.size() - header_bytes));
  packed.resize(size);
  std::string whole = file.substr(0, header_bytes);
  put(whole, 15, 4, little), put(whole, size, 4, little);
  return whole + packed;
}

std::vector<std::string> seeds() { return {mat({2, 3, 4}, true), mat({2, 3, 1}, false), mat({2, 3}, true)}; }

void read_all(const std::string& input) {
  const auto file = fuzz::folder().write("mat/joints.mat", input);
  const MatArray array = read_mat_array(file, "joints", 3, {.max_elements = 1'000'000});
  std::size_t count = 1;
  for (const std::size_t extent : array.dims) count *= extent;
  fuzz::require(array.values.size() == count, "a value per element");
  if (array.dims[0] == 2) (void)read_labels(file, {.score_threshold = 0.25, .joint_count = 2});
}

void read(const std::string& input) {
  if (input.size() > header_bytes) {
    try {
      read_all(compressed(input));
    } catch (const DataError&) {  // the file itself may be read all the same
    }
  }
  read_all(input);
}

const bool added = fuzz::add({"mat", seeds, read, fuzz::refuses_with<DataError>});

}  // namespace

}  // namespace mat_fuzz
