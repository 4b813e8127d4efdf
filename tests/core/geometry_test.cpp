#include <posemachine/core/geometry.hpp>
#include <posemachine/core/random.hpp>

#include <doctest/doctest.h>

#include <limits>

namespace geometry_test {

namespace pm = posemachine;

namespace {

pm::Affine random_map(pm::RandomStream& stream) {
  // A determinant of at least 1: 2 * 2 - 1.7 * 1.7 > 1.1.
  return {stream.uniform(2, 3),      stream.uniform(-1.7, 1.7), stream.uniform(-500, 500),
          stream.uniform(-1.7, 1.7), stream.uniform(2, 3),      stream.uniform(-500, 500)};
}

// About 20 operations on magnitudes up to 10,000 (coefficients up to 4, coordinates up to 1000).
constexpr double tolerance = 20 * 10000 * std::numeric_limits<double>::epsilon();

}  // namespace

TEST_CASE("inverse: takes every point back, from either side") {
  pm::RandomStream stream(1, pm::Purpose::test);
  for (int i = 0; i < 200; ++i) {
    const pm::Affine map = random_map(stream);
    const pm::Point point{stream.uniform(0, 1000), stream.uniform(0, 1000)};
    CHECK(pm::distance(pm::apply(pm::inverse(map), pm::apply(map, point)), point) < tolerance);
    CHECK(pm::distance(pm::apply(map, pm::apply(pm::inverse(map), point)), point) < tolerance);
  }
}

TEST_CASE("compose: equals applying the inner map, then the outer") {
  pm::RandomStream stream(2, pm::Purpose::test);
  for (int i = 0; i < 200; ++i) {
    const pm::Affine outer = random_map(stream);
    const pm::Affine inner = random_map(stream);
    const pm::Point point{stream.uniform(0, 1000), stream.uniform(0, 1000)};
    CHECK(pm::distance(pm::apply(pm::compose(outer, inner), point), pm::apply(outer, pm::apply(inner, point))) <
          tolerance);
  }
}

TEST_CASE("compose: the order matters, a shift after a doubling is not a doubling after a shift") {
  const pm::Affine twice{.a = 2, .e = 2};
  const pm::Affine shift{.c = 10, .f = 1};
  CHECK(pm::apply(pm::compose(shift, twice), {3, 4}) == pm::Point{16, 9});
  CHECK(pm::apply(pm::compose(twice, shift), {3, 4}) == pm::Point{26, 10});
}

TEST_CASE("apply: the default map moves nothing, and each coefficient has its place") {
  CHECK(pm::apply(pm::Affine{}, {3, -4}) == pm::Point{3, -4});
  CHECK(pm::apply(pm::Affine{1, 2, 3, 4, 5, 6}, {10, 100}) == pm::Point{213, 546});
}

TEST_CASE("inverse: of a quarter turn is the quarter turn back") {
  const pm::Affine turn{0, -1, 7, 1, 0, -2};
  CHECK(pm::apply(turn, {1, 0}) == pm::Point{7, -1});
  CHECK(pm::apply(pm::inverse(turn), {7, -1}) == pm::Point{1, 0});
}

TEST_CASE("centre: halves width and height from the left top corner") {
  CHECK(pm::centre({10, 20, 5, 8}) == pm::Point{12.5, 24});
}

TEST_CASE("distance: is the length of the difference, without overflow") {
  CHECK(pm::distance({1, 1}, {4, 5}) == doctest::Approx(5).epsilon(1e-15));
  CHECK(pm::distance({0, 0}, {3e200, 4e200}) == doctest::Approx(5e200).epsilon(1e-15));
  CHECK((pm::Point{1, 2} - pm::Point{4, 8}) == pm::Point{-3, -6});
  CHECK(2 * pm::Point{1, 2} == pm::Point{2, 4});
}

}  // namespace geometry_test
