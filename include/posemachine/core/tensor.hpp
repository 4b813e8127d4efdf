// A dense float array in host memory with its shape.
#pragma once

#include <posemachine/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

using Shape = std::vector<std::int64_t>;

inline std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return count;
}

/// "(8, 3, 128, 128)".
inline std::string to_string(const Shape& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + ")";
}

/// Row-major float32 values: the last extent is contiguous. Maps are (N, C, H, W), convolution weights (O, I, KH, KW).
struct Tensor {
  Shape shape;
  std::vector<float> values;

  Tensor() = default;
  explicit Tensor(Shape extents, float value = 0)
      : shape(std::move(extents)), values(static_cast<std::size_t>(element_count(shape)), value) {}
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
