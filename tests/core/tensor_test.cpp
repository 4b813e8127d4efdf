#include <posemachine/core/tensor.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>

namespace tensor_test {

namespace pm = posemachine;

TEST_CASE("Tensor: holds the product of its extents, filled with its value") {
  const pm::Tensor tensor({2, 3, 5, 7}, 1.5F);
  CHECK(tensor.values.size() == 210);
  CHECK(std::count(tensor.values.begin(), tensor.values.end(), 1.5F) == 210);
  CHECK(pm::Tensor({4}).values == std::vector<float>(4, 0.0F));
}

TEST_CASE("element_count: is 1 without extents, 0 with an extent of 0, and wider than 32 bits") {
  CHECK(pm::element_count({}) == 1);
  CHECK(pm::element_count({3, 0, 5}) == 0);
  CHECK(pm::element_count({65536, 65536}) == std::int64_t{1} << 32);
}

TEST_CASE("Shape: prints as a tuple") {
  CHECK(pm::to_string(pm::Shape{8, 3, 128, 128}) == "(8, 3, 128, 128)");
  CHECK(pm::to_string(pm::Shape{}) == "()");
}

}  // namespace tensor_test
