// What evaluate says: as text, as JSON, and read back for merge.
#pragma once

#include "left_out.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/metrics.hpp>

#include <string>

namespace tool {

struct EvaluationReport {
  std::string model;    // the file
  std::string network;  // its name
  std::string data;
  std::string split;   // LSP's; empty: the data says which part
  bool boxes = false;  // crops are around people's boxes, not of whole images
  posemachine::EvaluationResult result;
  LeftOutImages left_out{};
};

/// A table per metric: groups down, stages across.
std::string to_text(const EvaluationReport& report);

/// The figures of every metric and stage with the counts behind them, as evaluation_to_json() has them.
posemachine::Json to_json(const EvaluationReport& report);

/// The report of a share, its figures made anew from what was measured; poses are not in it. `run` is what the shares
/// have in common. Errors: DataError naming `where` and the member.
EvaluationReport report_from_json(const posemachine::Json& json, const posemachine::Json& run,
                                  const posemachine::MetricKinds& kinds, const posemachine::JointSet& joints,
                                  const std::string& where);

}  // namespace tool
