// Dense arrays in host memory with their shapes.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/data_type.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

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

/// Row-major values: the last extent is contiguous. Maps are (N, C, H, W), convolution weights (O, I, KH, KW).
template <class Number>
struct TensorOf {
  Shape shape;
  std::vector<Number> values;

  TensorOf() = default;
  explicit TensorOf(Shape extents, Number value = {})
      : shape(std::move(extents)), values(static_cast<std::size_t>(element_count(shape)), value) {}

  friend bool operator==(const TensorOf&, const TensorOf&) = default;
};

/// What the library computes with.
using Tensor = TensorOf<float>;

/// A tensor of any type, in the order of DataType: what files hold.
using AnyTensor = std::variant<TensorOf<float>, TensorOf<BFloat16>, TensorOf<Float16>, TensorOf<std::int8_t>,
                               TensorOf<std::uint8_t>, TensorOf<std::int32_t>>;

inline DataType type_of(const AnyTensor& tensor) { return static_cast<DataType>(tensor.index()); }

inline const Shape& shape_of(const AnyTensor& tensor) {
  return std::visit([](const auto& each) -> const Shape& { return each.shape; }, tensor);
}

/// The same values as floats; of s32 the nearest ones, the other types exactly.
inline Tensor to_floats(AnyTensor tensor) {
  if (Tensor* const floats = std::get_if<Tensor>(&tensor)) return std::move(*floats);
  return std::visit(
      [](auto& from) {
        Tensor floats;
        floats.shape = std::move(from.shape);
        floats.values.reserve(from.values.size());
        for (const auto value : from.values) floats.values.push_back(static_cast<float>(value));
        return floats;
      },
      tensor);
}

/// Zeros.
inline AnyTensor zeros(DataType type, const Shape& shape) {
  AnyTensor tensor;
  switch (type) {
    case DataType::f32: break;
    case DataType::bf16: tensor = TensorOf<BFloat16>(); break;
    case DataType::f16: tensor = TensorOf<Float16>(); break;
    case DataType::s8: tensor = TensorOf<std::int8_t>(); break;
    case DataType::u8: tensor = TensorOf<std::uint8_t>(); break;
    case DataType::s32: tensor = TensorOf<std::int32_t>(); break;
  }
  std::visit([&](auto& each) { each = std::remove_reference_t<decltype(each)>(shape); }, tensor);
  return tensor;
}

/// The nearest values of another type, ties to even; beyond its range an infinity (bf16, f16) or its last integer.
/// A NaN is 0 as an integer.
inline AnyTensor from_floats(const Tensor& tensor, DataType type) {
  AnyTensor converted = zeros(type, tensor.shape);
  std::visit(
      [&]<class Number>(TensorOf<Number>& to) {
        std::transform(tensor.values.begin(), tensor.values.end(), to.values.begin(), [](float value) {
          if constexpr (std::is_integral_v<Number>) {
            constexpr auto low = static_cast<double>(std::numeric_limits<Number>::min());
            constexpr auto high = static_cast<double>(std::numeric_limits<Number>::max());
            return std::isnan(value) ? Number{0}
                                     : static_cast<Number>(std::clamp(std::nearbyint(double{value}), low, high));
          } else {
            return static_cast<Number>(value);
          }
        });
      },
      converted);
  return converted;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
