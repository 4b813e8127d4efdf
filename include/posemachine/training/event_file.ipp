// The definitions of training/event_file.hpp.
#pragma once

#include <posemachine/training/event_file.hpp>

#include <posemachine/base/crc32c.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/image_io.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <system_error>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// One record: length, checksum of the length, bytes, checksum of the bytes. Source: TFRecord.
POSEMACHINE_INLINE std::string event_record(std::string_view bytes) {
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

POSEMACHINE_INLINE double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// When the next event file of a folder begins, in Unix seconds: now, or a second after its latest. TensorBoard reads a
// folder's files in the order of their names, and a clock may have been set back between two.
POSEMACHINE_INLINE std::int64_t next_event_second(const std::filesystem::path& folder, std::string_view prefix) {
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

POSEMACHINE_INLINE std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  std::replace(name.begin(), name.end(), '/', '_');
  return name.data();
}

}  // namespace detail

POSEMACHINE_INLINE EventFile::EventFile(const std::filesystem::path& folder, const FileSystemCalls& calls)
    : calls_(calls), path_(new_path(folder)), file_(open(), calls.close) {
  if (file_.get() < 0) detail::fail_errno<RuntimeFailure>(path_, "cannot be made", errno);
  append(event().text(detail::event_field::file_version, "brain.Event:2"));
}

POSEMACHINE_INLINE void EventFile::scalar(std::string_view tag, std::int64_t step, double value) {
  check_tag(tag);
  namespace field = detail::event_field;
  detail::ProtobufMessage number;
  append_value(step, number.text(field::value_tag, tag).real(field::value_number, static_cast<float>(value)));
}

POSEMACHINE_INLINE void EventFile::picture(std::string_view tag, std::int64_t step, const Image& image) {
  check_tag(tag);
  namespace field = detail::event_field;
  detail::ProtobufMessage picture;
  picture.integer(field::image_height, image.height).integer(field::image_width, image.width);
  picture.integer(field::image_colours, field::image_rgb).text(field::image_bytes, encode_png(image));
  append_value(step, detail::ProtobufMessage().text(field::value_tag, tag).message(field::value_image, picture));
}

POSEMACHINE_INLINE void EventFile::restart_at(std::int64_t step) {
  namespace field = detail::event_field;
  const auto start = detail::ProtobufMessage().integer(field::session_status, field::session_start);
  // Readers forget events of this step and later ones. Twice: TensorBoard's server takes the first start of a run for
  // its beginning and forgets nothing.
  for (int i = 0; i < 2; ++i) append(event().integer(field::step, step + 1).message(field::session_log, start));
}

POSEMACHINE_INLINE void EventFile::flush() {
  write_pending();
  if (detail::again([&] { return calls_.fsync(file_.get()); }) != 0) {
    detail::fail_errno<RuntimeFailure>(path_, "cannot be stored", errno);
  }
}

POSEMACHINE_INLINE std::filesystem::path EventFile::new_path(const std::filesystem::path& folder) {
  constexpr std::string_view prefix = "events.out.tfevents.";
  const std::string second = std::to_string(detail::next_event_second(folder, prefix));
  const std::string padding(second.size() < 10 ? 10 - second.size() : 0, '0');
  return folder /
         (std::string(prefix) + padding + second + "." + detail::host_name() + "." + std::to_string(::getpid()));
}

POSEMACHINE_INLINE int EventFile::open() const {
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC;  // never another one's file
  return detail::again([&] { return calls_.open(path_.c_str(), flags, 0644); });
}

POSEMACHINE_INLINE void EventFile::check_tag(std::string_view tag) {
  const auto printable = [](char character) { return character >= ' ' && character <= '~'; };
  if (!tag.empty() && std::all_of(tag.begin(), tag.end(), printable)) return;
  // A tag that is not UTF-8 would make the whole file unreadable.
  fail<UsageError>({.where = "event file: tag \"" + std::string(tag) + "\"",
                    .expected = "1 or more printable ASCII characters",
                    .got = tag.empty() ? "none" : "others"});
}

POSEMACHINE_INLINE detail::ProtobufMessage EventFile::event() {
  return detail::ProtobufMessage().double_real(detail::event_field::wall_time, detail::seconds_now());
}

POSEMACHINE_INLINE void EventFile::append_value(std::int64_t step, const detail::ProtobufMessage& value) {
  namespace field = detail::event_field;
  const auto summary = detail::ProtobufMessage().message(field::summary_value, value);
  append(event().integer(field::step, step).message(field::summary, summary));
}

POSEMACHINE_INLINE void EventFile::append(const detail::ProtobufMessage& message) {
  write_pending();  // of an event before that failed: in its middle no other may begin
  pending_ = detail::event_record(message.bytes());
  write_pending();
}

POSEMACHINE_INLINE void EventFile::write_pending() {
  while (!pending_.empty()) {
    const auto write_on = [&] { return calls_.write(file_.get(), pending_.data(), pending_.size()); };
    const ssize_t count = detail::again(write_on);
    if (count <= 0) detail::fail_errno<RuntimeFailure>(path_, "cannot be written", count < 0 ? errno : EIO);
    pending_.erase(0, static_cast<std::size_t>(count));
  }
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
