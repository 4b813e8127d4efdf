// Eigen's views of tensors, maps and poses, and the fits between poses that are short with them. Component eigen.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/map.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/pose/pose.hpp>

#include <Eigen/Core>
#include <Eigen/LU>
#include <Eigen/QR>
#include <Eigen/SVD>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

template <class Number, int Columns>
using RowMajorMatrix = Eigen::Matrix<std::remove_const_t<Number>, Eigen::Dynamic, Columns, Eigen::RowMajor>;

template <class Number, class Matrix>
using ConstAs = std::conditional_t<std::is_const_v<Number>, const Matrix, Matrix>;

}  // namespace detail

/// A matrix in memory that the library owns; const Number where it is only read.
template <class Number>
using MatrixView = Eigen::Map<detail::ConstAs<Number, detail::RowMajorMatrix<Number, Eigen::Dynamic>>, Eigen::Unaligned,
                              Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>;

/// Positions in memory, x before y, a row per joint.
template <class Number>
using PositionsView =
    Eigen::Map<detail::ConstAs<Number, detail::RowMajorMatrix<Number, 2>>, Eigen::Unaligned, Eigen::OuterStride<>>;

/// Anything that has a position: Point, Keypoint or Joint.
template <class T>
concept Positioned = std::is_same_v<T, Point> || std::is_same_v<T, Keypoint> || std::is_same_v<T, Joint>;

namespace detail {

template <class Number, class TensorType>
MatrixView<Number> tensor_matrix(TensorType& tensor) {
  const auto rows = static_cast<Eigen::Index>(tensor.shape.empty() ? 1 : tensor.shape.front());
  const auto columns = rows == 0 ? 0 : static_cast<Eigen::Index>(element_count(tensor.shape)) / rows;
  return {tensor.values.data(), rows, columns, {columns, 1}};
}

template <class T>
auto* first_number(std::span<T> items) {
  using Number = std::conditional_t<std::is_const_v<T>, const double, double>;
  if (items.empty()) return static_cast<Number*>(nullptr);
  if constexpr (std::is_same_v<std::remove_const_t<T>, Point>) {
    return static_cast<Number*>(&items.front().x);
  } else {
    return static_cast<Number*>(&items.front().position.x);
  }
}

}  // namespace detail

/// A tensor, its first extent down and all others across: convolution weights (O, I, KH, KW) as O x (I KH KW).
template <class Number>
MatrixView<Number> matrix_of(TensorOf<Number>& tensor) {
  return detail::tensor_matrix<Number>(tensor);
}
template <class Number>
MatrixView<const Number> matrix_of(const TensorOf<Number>& tensor) {
  return detail::tensor_matrix<const Number>(tensor);
}
template <class Number>
void matrix_of(TensorOf<Number>&&) = delete;  // it would be gone

/// One channel of a map in any layout. Shapes: h x w.
template <class Number>
MatrixView<Number> channel_matrix(const MapView<Number>& map, int image, int channel) {
  const auto step = static_cast<Eigen::Index>(map.cell_step());
  return {map.channel(image, channel), map.h, map.w, {map.w * step, step}};
}

/// All channels of an image, a row each: what a 1 x 1 convolution multiplies with. Shapes: c x (h w).
/// Errors: UsageError for the blocked layout, whose channels do not lie at equal distances.
template <class Number>
MatrixView<Number> image_matrix(const MapView<Number>& map, int image) {
  const auto cells = static_cast<Eigen::Index>(map.cells());
  if (map.layout == Layout::blocked) {
    fail<UsageError>({.where = "image_matrix",
                      .expected = "a map in the plain layout or with channels last",
                      .got = "a blocked one",
                      .remedy = "take its channels one by one (channel_matrix), or reorder it"});
  }
  const bool plain = map.layout == Layout::plain;
  return {map.channel(image, 0), map.c, cells,
          plain ? Eigen::Stride<-1, -1>{cells, 1} : Eigen::Stride<-1, -1>{1, map.c}};
}

/// The positions of points, keypoints or joints, those of missing ones included. Shapes: n x 2.
template <class T>
  requires Positioned<std::remove_const_t<T>>
auto positions_of(std::span<T> items) {
  static_assert(sizeof(T) % sizeof(double) == 0, "positions lie at whole numbers of doubles");
  auto* const first = detail::first_number(items);
  constexpr auto step = static_cast<Eigen::Index>(sizeof(T) / sizeof(double));
  return PositionsView<std::remove_pointer_t<decltype(first)>>(first, static_cast<Eigen::Index>(items.size()), 2,
                                                               Eigen::OuterStride<>(step));
}
template <Positioned T>
auto positions_of(std::vector<T>& items) {
  return positions_of(std::span<T>(items));
}
template <Positioned T>
auto positions_of(const std::vector<T>& items) {
  return positions_of(std::span<const T>(items));
}
template <Positioned T>
void positions_of(std::vector<T>&&) = delete;  // they would be gone

/// How one point set was brought onto another.
struct PointFit {
  Affine map;           // from the first set's plane to the second's
  double residual = 0;  // the root of the weighted mean of squared distances that remain, in the second set's pixels
  int points = 0;       // how many there are in both, of a weight above 0
};

/// A PointFit without shear: map(p) = scale * rotation * p + translation.
struct SimilarityFit : PointFit {
  double scale = 1;
  Eigen::Matrix2d rotation = Eigen::Matrix2d::Identity();
  Eigen::Vector2d translation = Eigen::Vector2d::Zero();
};

struct SimilarityOptions {
  bool scale = true;        // false: of equal size, a rigid motion
  bool reflection = false;  // true: the first set may be mirrored where that fits better
};

namespace detail {

// The points that count in both sets, less their weighted means.
struct CentredPoints {
  Eigen::Matrix2Xd from, to;
  Eigen::Vector2d from_mean, to_mean;
  Eigen::VectorXd weights;  // of sum 1

  double from_spread() const { return std::sqrt(from.colwise().squaredNorm().dot(weights)); }
  double to_spread() const { return std::sqrt(to.colwise().squaredNorm().dot(weights)); }
};

inline Point position_of(const Point& point) { return point; }
template <class T>
Point position_of(const T& item) {
  return item.position;
}

// A joint that is not labelled, or a keypoint that was not found, counts nothing; a point is always there.
inline double own_weight(const Point&) { return 1; }
inline double own_weight(const Keypoint& keypoint) { return keypoint.found() ? 1 : 0; }
inline double own_weight(const Joint& joint) { return joint.is_labelled() ? double{joint.weight} : 0; }

template <class From, class To>
CentredPoints centre_points(std::span<const From> from, std::span<const To> to, std::span<const double> weights,
                            const std::string& where) {
  if (from.size() != to.size() || (!weights.empty() && weights.size() != from.size())) {
    fail<UsageError>(
        {.where = where,
         .expected = std::to_string(from.size()) + " points on the other side, and as many weights or none",
         .got = std::to_string(to.size()) + " points and " + std::to_string(weights.size()) + " weights"});
  }
  std::vector<Eigen::Vector4d> pairs;
  std::vector<double> used;
  double sum = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const double given = weights.empty() ? 1 : weights[i];
    if (!(given >= 0) || !std::isfinite(given)) {
      fail<UsageError>({.where = where + ": weight " + std::to_string(i),
                        .expected = "a finite number of at least 0",
                        .got = std::to_string(given)});
    }
    const double weight = given * own_weight(from[i]) * own_weight(to[i]);
    if (weight == 0) continue;
    const Point a = position_of(from[i]), b = position_of(to[i]);
    pairs.emplace_back(a.x, a.y, b.x, b.y);
    if (!pairs.back().allFinite()) {
      fail<DataError>({.where = where + ": point " + std::to_string(i),
                       .expected = "finite positions of a point that counts",
                       .got = "NaN or infinity"});
    }
    used.push_back(weight);
    sum += weight;
  }
  CentredPoints points;
  const auto count = static_cast<Eigen::Index>(used.size());
  points.from.resize(2, count);
  points.to.resize(2, count);
  for (Eigen::Index i = 0; i < count; ++i) {
    points.from.col(i) = pairs[static_cast<std::size_t>(i)].head<2>();
    points.to.col(i) = pairs[static_cast<std::size_t>(i)].tail<2>();
  }
  points.weights = Eigen::Map<const Eigen::VectorXd>(used.data(), count) / sum;
  points.from_mean = points.from * points.weights;
  points.to_mean = points.to * points.weights;
  points.from.colwise() -= points.from_mean;
  points.to.colwise() -= points.to_mean;
  return points;
}

// Differences below this share of the points' extent, or of their distance from the origin, are rounding.
inline constexpr double rounding_share = 1e-12;

// The share of the points' extent that is rounding.
inline double least_share(const Eigen::Matrix2Xd& centred, const Eigen::Vector2d& mean) {
  return rounding_share * std::fmax(1, mean.cwiseAbs().maxCoeff() / centred.cwiseAbs().maxCoeff());
}

inline bool coincide(const Eigen::Matrix2Xd& centred, const Eigen::Vector2d& mean) {
  return centred.cols() == 0 || !(centred.cwiseAbs().maxCoeff() > rounding_share * mean.cwiseAbs().maxCoeff());
}

[[noreturn]] inline void refuse_points(const std::string& where, const std::string& expected, std::size_t count,
                                       const std::string& how) {
  fail<DataError>(
      {.where = where, .expected = expected, .got = std::to_string(count) + (count == 1 ? " point" : " points" + how)});
}

inline double residual_of(const CentredPoints& points, const Eigen::Matrix2d& linear) {
  return std::sqrt((points.to - linear * points.from).colwise().squaredNorm().dot(points.weights));
}

inline Affine affine_of(const Eigen::Matrix2d& linear, const Eigen::Vector2d& translation) {
  return {linear(0, 0), linear(0, 1), translation.x(), linear(1, 0), linear(1, 1), translation.y()};
}

}  // namespace detail

/// Procrustes alignment: the similarity that brings `from` onto `to` with the least weighted sum of squared distances.
/// Points, keypoints that were found and joints that are labelled count, in both sets, by `weights` (empty: 1 each)
/// times a joint's own. Errors: UsageError for other numbers of points or weights, or a weight that is negative or not
/// finite; DataError for a point that counts and is not finite, and where no rotation is the best: points that are
/// fewer than two or all equal on one side, or a set that fits its mirror image alone. Source: Umeyama 1991.
template <Positioned From, Positioned To>
SimilarityFit fit_similarity(std::span<const From> from, std::span<const To> to, std::span<const double> weights = {},
                             const SimilarityOptions& options = {}) {
  const std::string where = "fit_similarity";
  const detail::CentredPoints points = detail::centre_points(from, to, weights, where);
  const auto count = static_cast<std::size_t>(points.weights.size());
  if (detail::coincide(points.from, points.from_mean) || detail::coincide(points.to, points.to_mean)) {
    detail::refuse_points(where, "at least two different points on either side", count, ", all equal on one side");
  }
  const Eigen::Matrix2d covariance = points.to * points.weights.asDiagonal() * points.from.transpose();
  const Eigen::JacobiSVD<Eigen::Matrix2d> svd(covariance, Eigen::ComputeFullU | Eigen::ComputeFullV);
  const bool mirrored = (svd.matrixU() * svd.matrixV()).determinant() < 0;
  Eigen::Vector2d signs(1, mirrored && !options.reflection ? -1 : 1);
  // Points on a line say nothing of a mirror image: the turn is as good, and no surprise.
  const double least =
      std::fmax(detail::least_share(points.from, points.from_mean), detail::least_share(points.to, points.to_mean));
  const bool on_line = svd.singularValues()[1] <= least * svd.singularValues()[0];
  if (mirrored && on_line) signs[1] = -1;
  const double agreement = svd.singularValues().dot(signs);
  if (agreement <= least * points.from_spread() * points.to_spread()) {
    detail::refuse_points(where, "points that one rotation fits best", count, ", which all rotations fit alike");
  }
  SimilarityFit fit;
  fit.rotation = svd.matrixU() * signs.asDiagonal() * svd.matrixV().transpose();
  if (options.scale) fit.scale = agreement / (points.from_spread() * points.from_spread());
  const Eigen::Matrix2d linear = fit.scale * fit.rotation;
  fit.translation = points.to_mean - linear * points.from_mean;
  fit.map = detail::affine_of(linear, fit.translation);
  fit.residual = detail::residual_of(points, linear);
  fit.points = static_cast<int>(count);
  return fit;
}

/// The affine map that brings `from` onto `to` with the least weighted sum of squared distances; which points count, as
/// in fit_similarity. Errors: as there; DataError for fewer than three points, or points of `from` on a line.
template <Positioned From, Positioned To>
PointFit fit_affine(std::span<const From> from, std::span<const To> to, std::span<const double> weights = {}) {
  const std::string where = "fit_affine";
  const detail::CentredPoints points = detail::centre_points(from, to, weights, where);
  const auto count = static_cast<std::size_t>(points.weights.size());
  const Eigen::VectorXd roots = points.weights.cwiseSqrt();
  Eigen::ColPivHouseholderQR<Eigen::MatrixX2d> solver;
  if (!detail::coincide(points.from, points.from_mean)) {
    solver.setThreshold(detail::least_share(points.from, points.from_mean));
    solver.compute(roots.asDiagonal() * points.from.transpose());
  }
  if (solver.rows() < 3 || solver.rank() < 2) {
    detail::refuse_points(where, "at least three points that are not on a line", count, " on a line");
  }
  const Eigen::MatrixX2d wanted = roots.asDiagonal() * points.to.transpose();
  const Eigen::Matrix2d linear = solver.solve(wanted).transpose();
  PointFit fit;
  fit.map = detail::affine_of(linear, points.to_mean - linear * points.from_mean);
  fit.residual = detail::residual_of(points, linear);
  fit.points = static_cast<int>(count);
  return fit;
}

/// The same of lists, as poses and people have them.
template <Positioned From, Positioned To>
SimilarityFit fit_similarity(const std::vector<From>& from, const std::vector<To>& to,
                             std::span<const double> weights = {}, const SimilarityOptions& options = {}) {
  return fit_similarity(std::span<const From>(from), std::span<const To>(to), weights, options);
}
template <Positioned From, Positioned To>
PointFit fit_affine(const std::vector<From>& from, const std::vector<To>& to, std::span<const double> weights = {}) {
  return fit_affine(std::span<const From>(from), std::span<const To>(to), weights);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
