// The tuning file: what convolutions take on one machine, as JSON.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/schedule/cost_model.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

/// The text of a tuning file: what was measured, for this machine's instructions.
std::string tuning_text(const schedule::CostModel& costs);

/// Reads what tuning_text wrote; `where` is named in errors. Errors: DataError for anything else, and for what was
/// measured with other instructions or another oneDNN.
schedule::CostModel parse_tuning(std::string_view text, const std::string& where);

/// Errors: DataError naming the file.
schedule::CostModel read_tuning(const std::filesystem::path& path);

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/tuning_file.ipp>
#endif
