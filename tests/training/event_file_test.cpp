// EventFile, read back by a reader that knows only the framing, the encoding and the field numbers of event.proto.
// That TensorBoard shows the same is what ./dev check --tensorboard checks.
#include "event_reader.hpp"
#include "small_run.hpp"

#include <posemachine/base/files.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/training/event_file.hpp>

#include <doctest/doctest.h>

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace event_file_test {

using namespace posemachine;
using namespace event_reader;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

// A disk with room for so many bytes more.
std::size_t room = 0;
ssize_t write_while_room(int file, const void* bytes, std::size_t count) {
  if (room == 0) {
    errno = ENOSPC;
    return -1;
  }
  const ssize_t written = ::write(file, bytes, std::min(count, room));
  room -= static_cast<std::size_t>(written);
  return written;
}

}  // namespace

TEST_CASE("EventFile: a new file holds the version that TensorBoard asks for, and the time") {
  const small_run::Folder folder;
  const double before = now();
  const EventFile file(folder.path());
  const double after = now();
  const std::vector<std::string> records = records_of(small_run::contents(file.path()));
  REQUIRE(records.size() == 1);
  CHECK(field_of(records[0], 3).bytes == "brain.Event:2");
  const double time = std::bit_cast<double>(field_of(records[0], 1).bits);
  CHECK(time >= before);
  CHECK(time <= after);
  CHECK_FALSE(has_field(records[0], 5));
}

TEST_CASE("EventFile: numbers come back with tag and step, the last bit of a float kept, and none is refused") {
  const small_run::Folder folder;
  EventFile file(folder.path());
  file.scalar("loss/stage 1", 0, 1.0 / 3);
  file.scalar("rate", std::int64_t{1} << 40, -0.0);
  file.scalar("rate", 300, std::numeric_limits<double>::quiet_NaN());
  file.scalar("rate", 301, std::numeric_limits<double>::infinity());
  file.scalar("rate", 302, 1e300);                                                        // above every float
  const std::vector<std::string> records = records_of(small_run::contents(file.path()));  // without flush()
  REQUIRE(records.size() == 6);
  CHECK(tag_of(records[1]) == "loss/stage 1");
  CHECK(field_of(records[1], 2).bits == 0);
  CHECK(number_of(records[1]) == static_cast<float>(1.0 / 3));
  CHECK(field_of(records[2], 2).bits == std::uint64_t{1} << 40);
  CHECK(std::signbit(number_of(records[2])));
  CHECK(std::isnan(number_of(records[3])));
  CHECK(std::isinf(number_of(records[4])));
  CHECK(std::isinf(number_of(records[5])));
}

TEST_CASE("EventFile: a picture comes back with its size and, from its PNG, every pixel") {
  const small_run::Folder folder;
  EventFile file(folder.path());
  Image image(7, 3);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<std::uint8_t>(4 * i);
  file.picture("validation/pose", 12, image);
  const std::vector<std::string> records = records_of(small_run::contents(file.path()));
  REQUIRE(records.size() == 2);
  CHECK(tag_of(records[1]) == "validation/pose");
  CHECK(field_of(records[1], 2).bits == 12);
  const std::string picture = field_of(value_of(records[1]), 4).bytes;
  CHECK(field_of(picture, 1).bits == 3);  // height
  CHECK(field_of(picture, 2).bits == 7);  // width
  CHECK(field_of(picture, 3).bits == 3);  // RGB
  const std::string png = field_of(picture, 4).bytes;
  const Image decoded = decode_image(std::as_bytes(std::span(png.data(), png.size())), "event");
  CHECK(decoded.width == 7);
  CHECK(decoded.height == 3);
  CHECK(decoded.pixels == image.pixels);
}

TEST_CASE("EventFile: a restart after step 40 is two starts of a session at step 41") {
  const small_run::Folder folder;
  EventFile file(folder.path());
  file.restart_at(40);
  const std::vector<std::string> records = records_of(small_run::contents(file.path()));
  REQUIRE(records.size() == 3);
  for (std::size_t i = 1; i < 3; ++i) {
    CHECK(field_of(records[i], 2).bits == 41);
    CHECK(field_of(field_of(records[i], 7).bytes, 1).bits == 1);  // START
  }
}

TEST_CASE("EventFile: each file of a folder is new and sorts behind those before it, also after a clock was set back") {
  const small_run::Folder folder;
  std::ofstream(folder / "metrics.jsonl") << "";
  std::ofstream(folder / "events.out.tfevents.none") << "";
  std::ofstream(folder / "events.out.tfevents.99999999999999999999.far") << "";  // no time: it does not count
  std::vector<std::string> names;
  for (int i = 0; i < 3; ++i) names.push_back(EventFile(folder.path()).path().filename().string());
  std::ofstream(folder / "events.out.tfevents.7000000000.future.1") << "";
  names.push_back(EventFile(folder.path()).path().filename().string());
  CHECK(names.back().starts_with("events.out.tfevents.7000000001."));
  CHECK(names.back().ends_with("." + std::to_string(::getpid())));
  for (std::size_t i = 1; i < names.size(); ++i) CHECK(names[i - 1] < names[i]);
  CHECK(std::abs(std::stod(names[0].substr(20)) - now()) < 5);
}

TEST_CASE("EventFile: a file cut anywhere, as by a crash, gives all events before the cut") {
  const small_run::Folder folder;
  EventFile file(folder.path());
  for (int step = 0; step < 3; ++step) file.scalar("loss", step, step);
  const std::string whole = small_run::contents(file.path());
  const std::size_t last = records_of(whole).back().size() + 16;
  for (std::size_t cut = 1; cut <= last; ++cut) {
    CHECK(records_of(std::string_view(whole).substr(0, whole.size() - cut)).size() == 3);
  }
}

TEST_CASE(
    "EventFile: a full disk is an error that names the file; with room again every event but the refused is whole") {
  const small_run::Folder folder;
  FileSystemCalls calls;
  calls.write = write_while_room;
  room = 1 << 20;
  EventFile file(folder.path(), calls);
  file.scalar("loss", 1, 1);
  const std::size_t size = small_run::contents(file.path()).size();
  for (const std::size_t part : {std::size_t{0}, std::size_t{1}, std::size_t{11}, std::size_t{30}}) {
    CAPTURE(part);
    room = part;
    const std::string name = file.path().string();
    CHECK_THROWS_WITH_AS(file.scalar("loss", 2, 2), doctest::Contains(name.c_str()), RuntimeFailure);
    CHECK_THROWS_WITH_AS(file.scalar("loss", 3, 3), doctest::Contains("No space left on device"), RuntimeFailure);
    CHECK_THROWS_AS(file.flush(), RuntimeFailure);
    room = 1 << 20;
    file.scalar("loss", 4, 4);
  }
  const std::string bytes = small_run::contents(file.path());
  const std::vector<std::string> records = records_of(bytes);
  REQUIRE(records.size() == 2 + 4 * 2);
  CHECK((bytes.size() - size) % 8 == 0);  // nothing but eight whole records of one size
  for (std::size_t i = 2; i < records.size(); i += 2) {
    CHECK(number_of(records[i]) == 2);  // begun before the disk was full: ended first
    CHECK(number_of(records[i + 1]) == 4);
  }
}

TEST_CASE("EventFile: what cannot be made or stored is an error with the system's reason") {
  const small_run::Folder folder;
  CHECK_THROWS_WITH_AS(EventFile(folder / "absent"), doctest::Contains("No such file"), RuntimeFailure);
  FileSystemCalls calls;
  room = 0;
  calls.write = write_while_room;
  CHECK_THROWS_AS(EventFile(folder.path(), calls), RuntimeFailure);
  calls.write = ::write;
  calls.fsync = [](int) {
    errno = EIO;
    return -1;
  };
  EventFile file(folder.path(), calls);
  CHECK_THROWS_WITH_AS(file.flush(), doctest::Contains("cannot be stored"), RuntimeFailure);
}

TEST_CASE("EventFile: no tag, tags beyond ASCII and empty pictures are refused, and nothing of them is written") {
  const small_run::Folder folder;
  EventFile file(folder.path());
  const std::string before = small_run::contents(file.path());
  CHECK_THROWS_WITH_AS(file.scalar("", 1, 1), doctest::Contains("got none"), UsageError);
  CHECK_THROWS_AS(file.scalar("a\nb", 1, 1), UsageError);
  CHECK_THROWS_AS(file.picture("\xff", 1, Image(1, 1)), UsageError);
  CHECK_THROWS_AS(file.picture("empty", 1, Image()), UsageError);
  CHECK(small_run::contents(file.path()) == before);
}

}  // namespace event_file_test
