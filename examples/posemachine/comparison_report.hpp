// The report of evaluate --compare: a row per variant, as text or JSON.
#pragma once

#include "left_out.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/inference/compare.hpp>

#include <string>
#include <vector>

namespace tool {

/// Shapes: at least one row; the first is what the others are compared with.
struct ComparisonReport {
  std::string model;    // the file
  std::string network;  // its name
  std::string data;     // with LSP's part
  int threads = 1;      // photographs under way at a time
  std::vector<posemachine::VariantResult> rows;
  LeftOutImages left_out{};
};

/// A row per variant: the mean of the first metric, its difference from the first row's, and the median time.
std::string to_text(const ComparisonReport& report);

/// The same, with the options of each variant.
posemachine::Json to_json(const ComparisonReport& report);

}  // namespace tool
