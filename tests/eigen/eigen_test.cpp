// Eigen's views point at what the library owns; fits against closed forms, random maps and what determines none.
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/map.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/eigen.hpp>
#include <posemachine/pose/pose.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace eigen_test {

namespace pm = posemachine;

namespace {

using pm::Point;

// Positions are below 1000 px and sums have few terms: 1000 px * 2^-52 * 100.
constexpr double tolerance_px = 1e-10;

std::vector<Point> random_points(std::size_t count, pm::RandomStream& random) {
  std::vector<Point> points;
  for (std::size_t i = 0; i < count; ++i) points.push_back({random.uniform(-50, 400), random.uniform(-50, 400)});
  return points;
}

std::vector<Point> mapped(const std::vector<Point>& points, const pm::Affine& map) {
  std::vector<Point> result;
  for (const Point& point : points) result.push_back(apply(map, point));
  return result;
}

pm::Affine similarity(double scale, double angle_rad, Point by, bool mirror = false) {
  const double c = scale * std::cos(angle_rad), s = scale * std::sin(angle_rad);
  return mirror ? pm::Affine{c, s, by.x, s, -c, by.y} : pm::Affine{c, -s, by.x, s, c, by.y};
}

void check_close(const pm::Affine& got, const pm::Affine& expected, double tolerance = 1e-11) {
  CHECK(std::abs(got.a - expected.a) < tolerance);
  CHECK(std::abs(got.b - expected.b) < tolerance);
  CHECK(std::abs(got.d - expected.d) < tolerance);
  CHECK(std::abs(got.e - expected.e) < tolerance);
  CHECK(std::abs(got.c - expected.c) < 1000 * tolerance);
  CHECK(std::abs(got.f - expected.f) < 1000 * tolerance);
}

double squares_left(const std::vector<Point>& from, const std::vector<Point>& to, const std::vector<double>& weights,
                    const pm::Affine& map) {
  double sum = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const double left = distance(apply(map, from[i]), to[i]);
    sum += weights[i] * left * left;
  }
  return sum;
}

template <class E, class Fit>
std::string refusal(const Fit& fit) {
  try {
    fit();
  } catch (const E& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("matrix_of: a tensor's first extent down, all others across, without a copy") {
  pm::Tensor weights({2, 3, 1, 2});
  std::iota(weights.values.begin(), weights.values.end(), 0.0f);
  auto matrix = pm::matrix_of(weights);
  static_assert(!std::is_const_v<std::remove_pointer_t<decltype(matrix.data())>>);
  CHECK(matrix.rows() == 2);
  CHECK(matrix.cols() == 6);
  CHECK(matrix(1, 4) == 10);
  matrix.row(0).setConstant(7);
  CHECK(weights.values[5] == 7);
  CHECK(weights.values[6] == 6);
  const pm::Tensor& fixed = weights;
  static_assert(std::is_same_v<decltype(pm::matrix_of(fixed)), pm::MatrixView<const float>>);
  static_assert(std::is_const_v<std::remove_pointer_t<decltype(pm::matrix_of(fixed).data())>>);
  CHECK(pm::matrix_of(fixed).data() == weights.values.data());
  const pm::TensorOf<std::int8_t> none({0, 3});
  CHECK(pm::matrix_of(none).size() == 0);
}

TEST_CASE("channel_matrix, image_matrix: the elements of a map in every layout") {
  for (const pm::Layout layout : {pm::Layout::plain, pm::Layout::blocked, pm::Layout::channels_last}) {
    CAPTURE(static_cast<int>(layout));
    const pm::MapDesc desc{2, 5, 3, 7, layout, layout == pm::Layout::blocked ? 4 : 1};
    std::vector<float> memory(desc.bytes() / sizeof(float));
    std::iota(memory.begin(), memory.end(), 0.0f);
    const pm::MapView<float> map(desc, memory.data());
    for (int n = 0; n < 2; ++n) {
      for (int c = 0; c < 5; ++c) {
        const auto channel = pm::channel_matrix(map, n, c);
        REQUIRE(channel.rows() == 3);
        REQUIRE(channel.cols() == 7);
        for (int y = 0; y < 3; ++y) {
          for (int x = 0; x < 7; ++x) {
            REQUIRE(&channel(y, x) == &map.at(n, c, y, x));
            if (layout != pm::Layout::blocked) REQUIRE(&pm::image_matrix(map, n)(c, 7 * y + x) == &map.at(n, c, y, x));
          }
        }
      }
    }
    if (layout == pm::Layout::blocked) {
      CHECK(refusal<pm::UsageError>([&] { pm::image_matrix(map, 0); }) ==
            "image_matrix: expected a map in the plain layout or with channels last, got a blocked one; take its "
            "channels "
            "one by one (channel_matrix), or reorder it");
    }
  }
  static_assert(
      std::is_same_v<decltype(pm::channel_matrix(pm::MapView<const float>(), 0, 0)), pm::MatrixView<const float>>);
}

TEST_CASE("positions_of: the positions of points, keypoints and joints themselves") {
  std::vector<pm::Keypoint> keypoints{{{1, 2}, 0.5}, {{3, 4}, 1}, {}};
  auto positions = pm::positions_of(keypoints);
  CHECK(positions.row(1) == Eigen::RowVector2d(3, 4));
  positions.col(0).array() += 10;
  CHECK(keypoints[1].position == Point{13, 4});
  CHECK(keypoints[1].score == 1);
  CHECK(!keypoints[2].found());
  const std::vector<pm::Joint> joints{{{5, 6}, pm::JointState::visible}, {{7, 8}, pm::JointState::occluded}};
  CHECK(pm::positions_of(joints)(1, 1) == 8);
  static_assert(std::is_same_v<decltype(pm::positions_of(joints)), pm::PositionsView<const double>>);
  const std::vector<Point> points{{1, 2}, {3, 5}};
  CHECK(pm::positions_of(points).colwise().sum() == Eigen::RowVector2d(4, 7));
  CHECK(pm::positions_of(std::span<const Point>()).rows() == 0);
}

TEST_CASE("fit_similarity: closed forms") {
  // A quarter turn of twice the size: (1, 0) -> (0, 2) about the origin, then by (10, 20).
  const std::vector<Point> from{{0, 0}, {1, 0}, {0, 1}};
  const pm::SimilarityFit turned = pm::fit_similarity(from, std::vector<Point>{{10, 20}, {10, 22}, {8, 20}});
  CHECK(turned.scale == doctest::Approx(2).epsilon(1e-14));
  CHECK((turned.rotation - (Eigen::Matrix2d() << 0, -1, 1, 0).finished()).norm() < 1e-14);
  CHECK((turned.translation - Eigen::Vector2d(10, 20)).norm() < 1e-13);
  CHECK(turned.residual < 1e-13);
  CHECK(turned.points == 3);
  // Two points determine it, reflection or not: no mirror image is needed.
  for (const bool reflection : {false, true}) {
    const pm::SimilarityFit two = pm::fit_similarity(
        std::vector<Point>{{0, 0}, {3, 4}}, std::vector<Point>{{1, 1}, {1, 11}}, {}, {.reflection = reflection});
    CHECK(two.scale == doctest::Approx(2).epsilon(1e-14));
    CHECK(two.rotation.determinant() == doctest::Approx(1));
    CHECK(two.residual < tolerance_px);
  }
  // Corners of a square about the origin, one of them moved by 4 along x.
  const std::vector<Point> square{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}};
  const pm::SimilarityFit pulled = pm::fit_similarity(square, std::vector<Point>{{-1, -1}, {1, -1}, {5, 1}, {-1, 1}});
  const double along = 8 + 4, across = -4;  // sums of products and of cross products; 8 is the square's own
  CHECK(pulled.scale == doctest::Approx(std::hypot(along, across) / 8).epsilon(1e-13));
  CHECK(std::atan2(pulled.rotation(1, 0), pulled.rotation(0, 0)) == doctest::Approx(std::atan2(across, along)));
  // Without a scale: the same turn.
  const pm::SimilarityFit rigid =
      pm::fit_similarity(square, std::vector<Point>{{-1, -1}, {1, -1}, {5, 1}, {-1, 1}}, {}, {.scale = false});
  CHECK(rigid.scale == 1);
  CHECK((rigid.rotation - pulled.rotation).norm() < 1e-13);
}

TEST_CASE("fit_similarity: random maps are found again; of a mirror image only where reflection is allowed") {
  pm::RandomStream random(3, pm::Purpose::test);
  for (int i = 0; i < 200; ++i) {
    const std::vector<Point> from = random_points(3 + random.below(20), random);
    const bool mirror = random.below(2) == 1;
    const double scale = random.uniform(0.1, 5);
    const pm::Affine map = similarity(scale, random.uniform(-std::numbers::pi, std::numbers::pi),
                                      {random.uniform(-300, 300), random.uniform(-300, 300)}, mirror);
    const std::vector<Point> to = mapped(from, map);
    const pm::SimilarityFit free = pm::fit_similarity(from, to, {}, {.reflection = true});
    check_close(free.map, map);
    CHECK(free.residual < tolerance_px);
    CHECK(free.scale == doctest::Approx(scale).epsilon(1e-12));
    CHECK(free.rotation.determinant() == doctest::Approx(mirror ? -1 : 1));
    const pm::SimilarityFit proper = pm::fit_similarity(from, to);
    CHECK(proper.rotation.determinant() == doctest::Approx(1));
    CHECK((proper.residual < tolerance_px) == !mirror);
  }
}

TEST_CASE("fit_similarity, fit_affine: no map nearby leaves less, and the residual is what the map leaves") {
  pm::RandomStream random(4, pm::Purpose::test);
  for (int i = 0; i < 50; ++i) {
    const std::size_t count = 4 + random.below(14);
    const std::vector<Point> from = random_points(count, random), to = random_points(count, random);
    std::vector<double> weights;
    for (std::size_t k = 0; k < count; ++k) weights.push_back(random.uniform());
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    const pm::SimilarityFit fit = pm::fit_similarity(from, to, weights);
    const pm::PointFit affine = pm::fit_affine(from, to, weights);
    const double least = squares_left(from, to, weights, fit.map);
    const double least_affine = squares_left(from, to, weights, affine.map);
    CHECK(fit.residual == doctest::Approx(std::sqrt(least / sum)).epsilon(1e-10));
    CHECK(affine.residual == doctest::Approx(std::sqrt(least_affine / sum)).epsilon(1e-10));
    CHECK(least_affine <= least * (1 + 1e-12));
    const double angle = std::atan2(fit.rotation(1, 0), fit.rotation(0, 0));
    for (const double step : {-1e-3, 1e-3}) {
      const Point by{fit.translation.x(), fit.translation.y()};
      CHECK(squares_left(from, to, weights, similarity(fit.scale + step, angle, by)) > least);
      CHECK(squares_left(from, to, weights, similarity(fit.scale, angle + step, by)) > least);
      CHECK(squares_left(from, to, weights, similarity(fit.scale, angle, by + Point{step, 0})) > least);
      CHECK(squares_left(from, to, weights, similarity(fit.scale, angle, by + Point{0, step})) > least);
      for (double pm::Affine::* part :
           {&pm::Affine::a, &pm::Affine::b, &pm::Affine::c, &pm::Affine::d, &pm::Affine::e, &pm::Affine::f}) {
        pm::Affine near = affine.map;
        near.*part += step;
        CHECK(squares_left(from, to, weights, near) > least_affine);
      }
    }
  }
}

TEST_CASE("fit_affine: random maps are found again, far from the origin too") {
  pm::RandomStream random(5, pm::Purpose::test);
  for (int i = 0; i < 100; ++i) {
    const std::vector<Point> from = random_points(5 + random.below(20), random);
    const pm::Affine map{random.uniform(-2, 2), random.uniform(-2, 2), random.uniform(-9, 9),
                         random.uniform(-2, 2), random.uniform(-2, 2), random.uniform(-9, 9)};
    const pm::PointFit fit = pm::fit_affine(from, mapped(from, map));
    check_close(fit.map, map);
    CHECK(fit.residual < tolerance_px);
  }
  const pm::PointFit three =
      pm::fit_affine(std::vector<Point>{{0, 0}, {1, 0}, {0, 1}}, std::vector<Point>{{5, 6}, {7, 6}, {5, 9}});
  check_close(three.map, {2, 0, 5, 0, 3, 6});
}

TEST_CASE("fit_similarity: joints that are unlabelled or not found do not count, and weights do") {
  const std::vector<pm::Joint> truth{{{0, 0}, pm::JointState::visible},
                                     {{10, 0}, pm::JointState::visible},
                                     {{0, 10}, pm::JointState::occluded},
                                     {{900, 1}, pm::JointState::unlabelled},
                                     {{5, 5}, pm::JointState::visible}};
  const std::vector<pm::Keypoint> estimate{{{1, 1}, 1}, {{11, 1}, 1}, {{1, 11}, 1}, {{3, 3}, 1}, {}};
  const pm::SimilarityFit fit = pm::fit_similarity(truth, estimate);
  CHECK(fit.points == 3);
  check_close(fit.map, similarity(1, 0, {1, 1}));
  // A weight of 2 is the point twice; of 0, not there.
  std::vector<Point> from{{0, 0}, {4, 0}, {0, 3}, {2, 2}}, to{{1, 0}, {4, 1}, {0, 5}, {9, 9}};
  const pm::SimilarityFit weighted = pm::fit_similarity(from, to, std::vector<double>{1, 2, 1, 0});
  from[3] = from[1], to[3] = to[1];
  check_close(weighted.map, pm::fit_similarity(from, to).map);
  CHECK(weighted.points == 3);
  std::vector<pm::Joint> light = truth;
  light[0].weight = 0.5f;
  std::vector<pm::Keypoint> moved = estimate;
  moved[0].position = {3, 2};
  check_close(pm::fit_similarity(light, moved).map,
              pm::fit_similarity(truth, moved, std::vector<double>{0.5, 1, 1, 1, 1}).map);
}

TEST_CASE("fit_similarity, fit_affine: what determines no map is refused, and why is said") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Point> corner{{0, 0}, {1, 0}, {0, 1}};
  const auto similar = [](const std::vector<Point>& from, const std::vector<Point>& to) {
    return refusal<pm::DataError>([&] { pm::fit_similarity(from, to); });
  };
  const auto affine = [](const std::vector<Point>& from, const std::vector<Point>& to) {
    return refusal<pm::DataError>([&] { pm::fit_affine(from, to); });
  };
  const std::string two = "fit_similarity: expected at least two different points on either side, got ";
  CHECK(similar({}, {}) == two + "0 points, all equal on one side");
  CHECK(similar({{1, 2}}, {{3, 4}}) == two + "1 point");
  const std::vector<Point> same(3, Point{0.1, 1e5 / 3});
  CHECK(similar(same, corner) == two + "3 points, all equal on one side");
  CHECK(similar(corner, same) == two + "3 points, all equal on one side");
  CHECK(similar(corner, {{0, 0}, {nan, 0}, {0, 1}}) ==
        "fit_similarity: point 1: expected finite positions of a point that counts, got NaN or infinity");
  const std::vector<Point> cross{{1, 0}, {-1, 0}, {0, 1}, {0, -1}}, mirrored{{-1, 0}, {1, 0}, {0, 1}, {0, -1}};
  CHECK(similar(cross, mirrored) ==
        "fit_similarity: expected points that one rotation fits best, got 4 points, which all rotations fit alike");
  CHECK(pm::fit_similarity(cross, mirrored, {}, {.reflection = true}).residual < 1e-14);

  const std::string three = "fit_affine: expected at least three points that are not on a line, got ";
  CHECK(affine({}, {}) == three + "0 points on a line");
  CHECK(affine({{1, 2}}, {{3, 4}}) == three + "1 point");
  CHECK(affine({{1, 2}, {2, 3}}, {{3, 4}, {5, 6}}) == three + "2 points on a line");
  CHECK(affine(same, corner) == three + "3 points on a line");
  CHECK(affine({{0.1, 0.1}, {0.2, 0.2}, {0.3, 0.3}, {1e6 / 3, 1e6 / 3}}, cross) == three + "4 points on a line");
  CHECK(affine({{1e6, 1e6}, {1e6 + 0.1, 1e6 + 0.3}, {1e6 + 0.2, 1e6 + 0.6}}, corner) == three + "3 points on a line");
  CHECK(pm::fit_affine(corner, same).residual < tolerance_px);  // all onto one point: a map, if a flat one
  CHECK(affine(corner, {{0, 0}, {nan, 0}, {0, 1}}) ==
        "fit_affine: point 1: expected finite positions of a point that counts, got NaN or infinity");

  const auto usage = [&](const std::vector<Point>& to, const std::vector<double>& weights) {
    return refusal<pm::UsageError>([&] { pm::fit_similarity(corner, to, weights); });
  };
  CHECK(usage({{0, 0}}, {}) ==
        "fit_similarity: expected 3 points on the other side, and as many weights or none, got 1 points and 0 weights");
  CHECK(usage(corner, {1, 2}) ==
        "fit_similarity: expected 3 points on the other side, and as many weights or none, got 3 points and 2 weights");
  CHECK(usage(corner, {1, -1, 1}) == "fit_similarity: weight 1: expected a finite number of at least 0, got -1.000000");
  CHECK(usage(corner, {1, 1, nan}).starts_with("fit_similarity: weight 2: expected a finite number of at least 0"));
}

}  // namespace eigen_test
