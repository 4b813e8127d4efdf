// What evaluate says: as text, as JSON, and read back for merge.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/model/joint_set.hpp>

#include <string>

namespace tool {

struct EvaluationReport {
  std::string model;    // the file
  std::string network;  // its name
  std::string data;
  std::string split;   // LSP's; empty: the data says which part
  bool boxes = false;  // crops are around people's boxes, not of whole images
  posemachine::EvaluationResult result;
};

/// Tables of percentages: groups down, stages across.
std::string to_text(const EvaluationReport& report);

/// Percentages as fractions of 100 with 4 digits, without those of groups of whom nobody was counted, and the counts behind them.
posemachine::Json to_json(const EvaluationReport& report);

/// A report as to_json writes it, rates reckoned anew from the counts; poses are not in it.
/// Errors: DataError naming `where` and the member.
EvaluationReport report_from_json(const posemachine::Json& json, const posemachine::JointSet& joints,
                                  const std::string& where);

}  // namespace tool
