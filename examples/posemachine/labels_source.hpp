// What --labels names: a data set, the file with other joints for its training people, the array in it.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/data/labels.hpp>

#include <string>
#include <vector>

namespace tool {

struct LabelsSource {
  std::string kind;  // of data: lsp or lspet
  std::string file;  // absolute
  posemachine::LabelsOptions options;
};

/// "lspet:FILE.mat", with ":NAME" (of the array) and ":score=T" behind it or not; a file's name may have colons.
/// Errors: UsageError.
LabelsSource parse_labels(const std::string& text);

/// As parse_labels takes it, the array named in any case.
std::string labels_text(const LabelsSource& source);

/// The labels of a configuration, as labels_text gives them, in the order of kinds. `data` is the configuration's:
/// "lsp:DIR" and so on. Errors: UsageError naming where.labels, for a kind without data or named twice, too.
std::vector<std::string> read_labels_list(const posemachine::Json& list, const std::vector<std::string>& data,
                                          const std::string& where);

}  // namespace tool
