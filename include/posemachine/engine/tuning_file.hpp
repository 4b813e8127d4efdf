// The tuning file: what convolutions take on one machine, as JSON.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/schedule/cost_model.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace posemachine::inline POSEMACHINE_BUILD {

/// The text of a tuning file: what was measured, for this machine's instructions.
std::string tuning_text(const CostModel& costs);

/// Reads what tuning_text wrote; `where` is named in errors. Errors: DataError for anything else, and for what was
/// measured with other instructions or another oneDNN.
CostModel parse_tuning(std::string_view text, const std::string& where);

/// Errors: DataError naming the file.
CostModel read_tuning(const std::filesystem::path& path);

}  // namespace posemachine::inline POSEMACHINE_BUILD

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/tuning_file.ipp>
#endif
