// CostModel: what a step takes, estimated or measured, for passes to choose by.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/schedule/schedule.hpp>

#include <array>
#include <compare>
#include <cstdint>
#include <limits>
#include <map>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

/// How a convolution is computed: directly on blocked maps, by Winograd's algorithm on them, or on maps whose channels
/// stand together, cell by cell (channels last).
enum class ConvolutionMethod : std::uint8_t { direct, winograd, channels_last };

inline constexpr std::array convolution_methods{ConvolutionMethod::direct, ConvolutionMethod::winograd,
                                                ConvolutionMethod::channels_last};

/// A convolution of one image, as far as its speed depends on it. Counts are of channels and cells; of src, but `out`.
struct ConvolutionCase {
  int in = 0;
  int out = 0;
  int kernel = 1;
  int stride = 1;
  int dilation = 1;
  int padding = 0;
  int groups = 1;
  int height = 0;
  int width = 0;

  friend auto operator<=>(const ConvolutionCase&, const ConvolutionCase&) = default;
};

ConvolutionCase convolution_case(const Schedule& schedule, const Step& step);

/// Nanoseconds by ConvolutionMethod; infinite for one that cannot be had.
using MethodTimes = std::array<double, convolution_methods.size()>;

/// Estimates, and what was measured instead (posemachine tune). Read by several threads at a time.
class CostModel {
 public:
  static constexpr double never = std::numeric_limits<double>::infinity();

  /// Of one image, ns.
  MethodTimes convolution(const ConvolutionCase& which, int threads) const;

  /// What it takes to read so many bytes and write them elsewhere, ns.
  static double move(double bytes, int threads) { return step_ns + bytes / (moved_bytes_per_ns * threads); }

  /// Errors: UsageError for a time that is negative or no number, and for a direct one that is infinite.
  void set(const ConvolutionCase& which, int threads, const MethodTimes& times);

  struct Key {
    ConvolutionCase which;
    int threads = 1;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  const std::map<Key, MethodTimes>& measured() const { return measured_; }

  /// What is true of oneDNN 2.6.3 on processors with AVX-512, as far as it was measured.
  static MethodTimes estimate(const ConvolutionCase& which, int threads);

 private:
  // Choices depend on the ratio of the two: 7 multiply-adds in the time of a moved byte.
  static constexpr double multiply_adds_per_ns = 80;
  static constexpr double moved_bytes_per_ns = 12;
  static constexpr double winograd_share = 0.6;
  static constexpr double step_ns = 3000;  // before anything moves

  static int padded(int channels) { return (channels + 15) / 16 * 16; }

  // 32 to 256 channels, maps of 8 to 92 cells a side: with one thread 1.4 to 2.7 times faster throughout; with two 1.2
  // to 2.6 times from 16 x 16 on in nearly all cases, and up to 3.4 times slower at 8 x 8, where a thread gets too
  // little to do. What was not measured stays direct.
  static bool suits_winograd(const ConvolutionCase& which, double cells, int threads);

  // Where a core does two multiply-adds a cycle (a Xeon) kernels of 5 x 5, and those of up to 9 x 9 or dilated ones to
  // at most 64 channels, take 0.80 to 1.10 of the time on channels last, most of them 0.9; where it does one (an EPYC)
  // 0.97 to 1.01. Beyond that some are twice as slow (11 x 11 of 128 channels). 1 x 1 and strides: as often slower as
  // faster.
  static double channels_last_share(const ConvolutionCase& which);

  std::map<Key, MethodTimes> measured_;
};

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/schedule/cost_model.ipp>
#endif
