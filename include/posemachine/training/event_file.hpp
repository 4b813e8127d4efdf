// EventFile: numbers and pictures of a run, step by step, for TensorBoard.
#pragma once

#include <posemachine/base/crc32c.hpp>
#include <posemachine/base/files.hpp>
#include <posemachine/base/protobuf.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io.hpp>

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

// The field numbers of event.proto and summary.proto that are written here.
namespace event_field {
inline constexpr int wall_time = 1, step = 2, file_version = 3, summary = 5, session_log = 7;
inline constexpr int session_status = 1, session_start = 1;  // a field, and its value START
inline constexpr int summary_value = 1, value_tag = 1, value_number = 2, value_image = 4;
inline constexpr int image_height = 1, image_width = 2, image_colours = 3, image_bytes = 4, image_rgb = 3;
}  // namespace event_field

/// One record: length, checksum of the length, bytes, checksum of the bytes. Source: TFRecord.
inline std::string event_record(std::string_view bytes) {
  // Turned and moved: bytes that hold their own CRC are bad input for another.
  const auto masked_crc = [](std::string_view of) {
    const std::uint32_t crc = crc32c(of);
    return (crc >> 15 | crc << 17) + 0xA282EAD8u;
  };
  std::string record;
  record.reserve(bytes.size() + 16);
  append_little_endian(record, std::uint64_t{bytes.size()});
  append_little_endian(record, masked_crc(record));
  record += bytes;
  append_little_endian(record, masked_crc(bytes));
  return record;
}

inline double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// When the next event file of a folder begins, in Unix seconds: now, or a second after its latest. TensorBoard reads a
/// folder's files in the order of their names, and a clock may have been set back between two.
inline std::int64_t next_event_second(const std::filesystem::path& folder, std::string_view prefix) {
  auto second = static_cast<std::int64_t>(seconds_now());
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    std::int64_t other = 0;
    const auto [rest, problem] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), other);
    if (problem == std::errc() && other < 9'999'999'999) second = std::max(second, other + 1);  // 10 digits
  }
  return second;
}

inline std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  std::replace(name.begin(), name.end(), '/', '_');
  return name.data();
}

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
  explicit EventFile(const std::filesystem::path& folder, const FileSystemCalls& calls = {})
      : calls_(calls), path_(new_path(folder)), file_(open(), calls.close) {
    if (file_.get() < 0) detail::fail_errno<RuntimeFailure>(path_, "cannot be made", errno);
    append(event().text(detail::event_field::file_version, "brain.Event:2"));
  }

  const std::filesystem::path& path() const { return path_; }

  /// A number of the run, kept as a float.
  void scalar(std::string_view tag, std::int64_t step, double value) {
    check_tag(tag);
    namespace field = detail::event_field;
    detail::ProtobufMessage number;
    append_value(step, number.text(field::value_tag, tag).real(field::value_number, static_cast<float>(value)));
  }

  /// A picture of the run, kept as a PNG. Errors: UsageError for an empty one.
  void picture(std::string_view tag, std::int64_t step, const Image& image) {
    check_tag(tag);
    namespace field = detail::event_field;
    detail::ProtobufMessage picture;
    picture.integer(field::image_height, image.height).integer(field::image_width, image.width);
    picture.integer(field::image_colours, field::image_rgb).text(field::image_bytes, encode_png(image));
    append_value(step, detail::ProtobufMessage().text(field::value_tag, tag).message(field::value_image, picture));
  }

  /// The run goes on after `step`: what files before this one say of later steps is forgotten; it will come again.
  void restart_at(std::int64_t step) {
    namespace field = detail::event_field;
    const auto start = detail::ProtobufMessage().integer(field::session_status, field::session_start);
    // Readers forget events of this step and later ones. Twice: TensorBoard's server takes the first start of a run for
    // its beginning and forgets nothing.
    for (int i = 0; i < 2; ++i) append(event().integer(field::step, step + 1).message(field::session_log, start));
  }

  /// Returns when the events are stored on the disk.
  void flush() {
    write_pending();
    if (detail::again([&] { return calls_.fsync(file_.get()); }) != 0) {
      detail::fail_errno<RuntimeFailure>(path_, "cannot be stored", errno);
    }
  }

 private:
  static std::filesystem::path new_path(const std::filesystem::path& folder) {
    constexpr std::string_view prefix = "events.out.tfevents.";
    const std::string second = std::to_string(detail::next_event_second(folder, prefix));
    const std::string padding(second.size() < 10 ? 10 - second.size() : 0, '0');
    return folder /
           (std::string(prefix) + padding + second + "." + detail::host_name() + "." + std::to_string(::getpid()));
  }

  int open() const {
    constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC;  // never another one's file
    return detail::again([&] { return calls_.open(path_.c_str(), flags, 0644); });
  }

  static void check_tag(std::string_view tag) {
    const auto printable = [](char character) { return character >= ' ' && character <= '~'; };
    if (!tag.empty() && std::all_of(tag.begin(), tag.end(), printable)) return;
    // A tag that is not UTF-8 would make the whole file unreadable.
    fail<UsageError>({.where = "event file: tag \"" + std::string(tag) + "\"",
                      .expected = "1 or more printable ASCII characters",
                      .got = tag.empty() ? "none" : "others"});
  }

  static detail::ProtobufMessage event() {
    return detail::ProtobufMessage().double_real(detail::event_field::wall_time, detail::seconds_now());
  }

  void append_value(std::int64_t step, const detail::ProtobufMessage& value) {
    namespace field = detail::event_field;
    const auto summary = detail::ProtobufMessage().message(field::summary_value, value);
    append(event().integer(field::step, step).message(field::summary, summary));
  }

  void append(const detail::ProtobufMessage& message) {
    write_pending();  // of an event before that failed: in its middle no other may begin
    pending_ = detail::event_record(message.bytes());
    write_pending();
  }

  void write_pending() {
    while (!pending_.empty()) {
      const auto write_on = [&] { return calls_.write(file_.get(), pending_.data(), pending_.size()); };
      const ssize_t count = detail::again(write_on);
      if (count <= 0) detail::fail_errno<RuntimeFailure>(path_, "cannot be written", count < 0 ? errno : EIO);
      pending_.erase(0, static_cast<std::size_t>(count));
    }
  }

  FileSystemCalls calls_;
  std::filesystem::path path_;
  detail::OpenFile file_;
  std::string pending_;  // of the event that is being written: what is not in the file yet
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
