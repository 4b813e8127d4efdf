// EventFile: numbers and pictures of a run, step by step, for TensorBoard.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/base/protobuf.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/image.hpp>

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// The field numbers of event.proto and summary.proto that are written here.
namespace event_field {
inline constexpr int wall_time = 1, step = 2, file_version = 3, summary = 5, session_log = 7;
inline constexpr int session_status = 1, session_start = 1;  // a field, and its value START
inline constexpr int summary_value = 1, value_tag = 1, value_number = 2, value_image = 4;
inline constexpr int image_height = 1, image_width = 2, image_colours = 3, image_bytes = 4, image_rgb = 3;
}  // namespace event_field

}  // namespace detail

/// A file of events that TensorBoard shows. Every event is in the file when its call returns, so that a crash leaves at
/// most the last one in part, where readers stop. Files of one folder are one run: a run that goes on opens another
/// file and says where with restart_at. Belongs to one thread at a time.
/// Tags are 1 or more printable ASCII characters; a slash groups ("loss/stage 1"). Steps are optimiser steps done.
/// Errors: RuntimeFailure naming the file and the system's reason where it cannot be written (a full disk); the rest of
/// an event that was written in part comes before the next one. UsageError for another tag.
class EventFile {
 public:
  /// A new file in the folder, events.out.tfevents.<Unix seconds>.<host>.<process>; its name sorts behind those of the
  /// event files that are there. Errors: RuntimeFailure, also where the folder does not exist.
  explicit EventFile(const std::filesystem::path& folder, const FileSystemCalls& calls = {});

  const std::filesystem::path& path() const { return path_; }

  /// A number of the run, kept as a float.
  void scalar(std::string_view tag, std::int64_t step, double value);

  /// A picture of the run, kept as a PNG. Errors: UsageError for an empty one.
  void picture(std::string_view tag, std::int64_t step, const Image& image);

  /// The run goes on after `step`: what files before this one say of later steps is forgotten; it will come again.
  void restart_at(std::int64_t step);

  /// Returns when the events are stored on the disk.
  void flush();

 private:
  static std::filesystem::path new_path(const std::filesystem::path& folder);

  int open() const;

  static void check_tag(std::string_view tag);

  static detail::ProtobufMessage event();

  void append_value(std::int64_t step, const detail::ProtobufMessage& value);

  void append(const detail::ProtobufMessage& message);

  void write_pending();

  FileSystemCalls calls_;
  std::filesystem::path path_;
  detail::OpenFile file_;
  std::string pending_;  // of the event that is being written: what is not in the file yet
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/event_file.ipp>
#endif
