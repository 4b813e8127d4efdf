// What this machine can do at most: multiply-adds of single precision, all in registers.
#pragma once

#include <string>

namespace tool {

/// The measured peak.
struct Peak {
  double flops = 0;          // a second; 0 where there is no loop for this processor
  std::string instructions;  // "AVX-512"
};

/// The most floating-point operations (2 for a multiply-add) that `threads` threads do in a second together: the best
/// of several rounds of some milliseconds, as far as oneDNN may use the instructions (ONEDNN_MAX_CPU_ISA).
Peak measure_peak(int threads);

}  // namespace tool
