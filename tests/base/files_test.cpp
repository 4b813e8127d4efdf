// Files: bounded reading, and writing that leaves the old or the new bytes whatever system call fails.
#include "temporary_folder.hpp"

#include <posemachine/base/files.hpp>

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace files_test {

namespace pm = posemachine;
namespace fs = std::filesystem;
using test_environment::TemporaryFolder;

namespace {

std::ptrdiff_t entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

std::ptrdiff_t open_descriptors() {
  return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
}

// The system as FileSystemCalls see it: the call number `failing`, counted from 1, ends with `error`, and no more than
// `most` bytes are moved at once.
struct System {
  int failing = 0;
  int error = 0;
  std::size_t most = 7;
  int made = 0;
  std::string failed{};  // the name of the call that was made to fail
};
System the_system;

bool fails(const char* name) {
  if (++the_system.made != the_system.failing) return false;
  the_system.failed = name;
  errno = the_system.error;
  return true;
}

pm::FileSystemCalls calls() {
  pm::FileSystemCalls calls;
  calls.open = [](const char* path, int flags, mode_t mode) { return fails("open") ? -1 : ::open(path, flags, mode); };
  calls.write = [](int file, const void* bytes, std::size_t count) -> ssize_t {
    return fails("write") ? -1 : ::write(file, bytes, std::min(count, the_system.most));
  };
  calls.read = [](int file, void* bytes, std::size_t count) -> ssize_t {
    return fails("read") ? -1 : ::read(file, bytes, std::min(count, the_system.most));
  };
  calls.fsync = [](int file) { return fails("fsync") ? -1 : ::fsync(file); };
  calls.close = [](int file) {
    ::close(file);  // Linux closes it whatever it returns
    return fails("close") ? -1 : 0;
  };
  calls.rename = [](const char* from, const char* to) { return fails("rename") ? -1 : std::rename(from, to); };
  return calls;
}

const std::string old_bytes = "the old bytes";
const std::string new_bytes("new\0bytes, which are more than the old ones were", 48);

}  // namespace

TEST_CASE("read_file: gives the bytes of a file up to its limit, zeros and all") {
  const TemporaryFolder folder;
  pm::write_file_atomically(folder / "f", new_bytes);
  CHECK(pm::read_file(folder / "f", new_bytes.size()) == new_bytes);
  pm::write_file_atomically(folder / "empty", "");
  CHECK(pm::read_file(folder / "empty", 0).empty());
  CHECK_THROWS_WITH_AS(pm::read_file(folder / "f", new_bytes.size() - 1),
                       ((folder / "f").string() + ": expected at most 47 bytes, got 48").c_str(), pm::DataError);
}

TEST_CASE("read_file: takes no memory for a file above the limit, whatever its size says") {
  const TemporaryFolder folder;
  pm::write_file_atomically(folder / "huge", "");
  fs::resize_file(folder / "huge", std::uintmax_t{1} << 42);  // 4 TiB of holes
  CHECK_THROWS_AS(pm::read_file(folder / "huge", 1 << 20), pm::DataError);
}

TEST_CASE("read_file: what is missing or no file is refused by name and kind, and a pipe does not block") {
  const TemporaryFolder folder;
  const std::string missing = (folder / "none").string();
  CHECK_THROWS_WITH_AS(pm::read_file(missing, 9), (missing + ": cannot be opened: No such file or directory").c_str(),
                       pm::DataError);
  CHECK_THROWS_AS(pm::read_file<pm::ModelError>(missing, 9), pm::ModelError);
  const std::string inside = (folder / "").string();
  CHECK_THROWS_WITH_AS(pm::read_file(inside, 9), (inside + ": expected a file, got a folder").c_str(), pm::DataError);
  const std::string pipe = (folder / "pipe").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_THROWS_WITH_AS(pm::read_file(pipe, 9), (pipe + ": expected a file, got a device or pipe").c_str(),
                       pm::DataError);
  CHECK_THROWS_AS(pm::read_file("/dev/zero", 9), pm::DataError);
}

TEST_CASE("read_file: interrupted and short reads are continued, and a failing call leaks no open file") {
  const TemporaryFolder folder;
  pm::write_file_atomically(folder / "f", new_bytes);
  const std::ptrdiff_t descriptors = open_descriptors();
  the_system = {};
  CHECK(pm::read_file(folder / "f", 100, calls()) == new_bytes);
  const int made = the_system.made;
  REQUIRE(made == 9);  // open, 7 reads of 7 bytes, close
  for (int n = 1; n <= made; ++n) {
    CAPTURE(n);
    the_system = {.failing = n, .error = EINTR};
    CHECK(pm::read_file(folder / "f", 100, calls()) == new_bytes);
    the_system = {.failing = n, .error = EIO};
    if (n == made) {  // nothing is lost when a file that was read cannot be closed
      CHECK(pm::read_file(folder / "f", 100, calls()) == new_bytes);
    } else {
      const std::string what = n == 1 ? "opened" : "read";
      CHECK_THROWS_WITH_AS(pm::read_file(folder / "f", 100, calls()),
                           ((folder / "f").string() + ": cannot be " + what + ": Input/output error").c_str(),
                           pm::DataError);
    }
    CHECK(open_descriptors() == descriptors);
  }
}

TEST_CASE("write_file_atomically: replaces a file, makes a new one, and leaves nothing beside it") {
  const TemporaryFolder folder;
  for (const std::string& bytes : {old_bytes, new_bytes, std::string(), std::string(3 << 20, 'x')}) {
    pm::write_file_atomically(folder / "f", bytes);
    CHECK(pm::read_file(folder / "f", 4 << 20) == bytes);
    CHECK(entries(folder.path()) == 1);
  }
}

TEST_CASE("write_file_atomically: a name without a folder is a file of the current one") {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder / "");
  pm::write_file_atomically("f", new_bytes);
  fs::current_path(before);
  CHECK(pm::read_file(folder / "f", 100) == new_bytes);
}

TEST_CASE("write_file_atomically: whichever call fails, the old file stays whole and nothing is left beside it") {
  for (const bool existed : {true, false}) {
    the_system = {};
    int made = 0;
    {
      const TemporaryFolder folder;
      if (existed) pm::write_file_atomically(folder / "f", old_bytes);
      pm::write_file_atomically(folder / "f", new_bytes, calls());
      made = the_system.made;
    }
    REQUIRE(made == 14);  // open folder and file, 7 writes of 7 bytes, fsync, close, rename, fsync and close folder
    std::vector<std::string> failed;
    for (const int error : {ENOSPC, EIO, EACCES, EINTR}) {
      for (int n = 1; n <= made; ++n) {
        CAPTURE(error);
        CAPTURE(n);
        const TemporaryFolder folder;
        const fs::path path = folder / "f";
        if (existed) pm::write_file_atomically(path, old_bytes);
        const std::ptrdiff_t descriptors = open_descriptors();
        the_system = {.failing = n, .error = error};
        bool replaced = true;
        std::string message;
        try {
          pm::write_file_atomically(path, new_bytes, calls());
        } catch (const pm::RuntimeFailure& failure) {
          message = failure.what();
          replaced = message.find("is written, but its folder cannot be stored") != std::string::npos;
          CHECK(message.find(path.string() + ": ") == 0);
          CHECK(message.find(std::strerror(error)) != std::string::npos);
        }
        CHECK(the_system.failed != "");
        CAPTURE(the_system.failed);
        CAPTURE(message);
        const bool interrupted = error == EINTR && the_system.failed != "rename";
        CHECK((message.empty() == (interrupted || n == made)));
        CHECK(replaced == (interrupted || n >= made - 1));
        if (replaced || existed) {
          CHECK(pm::read_file(path, 100) == (replaced ? new_bytes : old_bytes));
        } else {
          CHECK_FALSE(fs::exists(path));
        }
        CHECK(entries(folder.path()) == (replaced || existed ? 1 : 0));
        CHECK(open_descriptors() == descriptors);
        if (error == EIO) failed.push_back(the_system.failed);
      }
    }
    CHECK(failed == std::vector<std::string>{"open", "open", "write", "write", "write", "write", "write", "write",
                                             "write", "fsync", "close", "rename", "fsync", "close"});
  }
}

TEST_CASE("write_file_atomically: a write that moves nothing ends instead of going on for ever") {
  const TemporaryFolder folder;
  pm::write_file_atomically(folder / "f", old_bytes);
  the_system = {.most = 0};
  CHECK_THROWS_AS(pm::write_file_atomically(folder / "f", new_bytes, calls()), pm::RuntimeFailure);
  CHECK(pm::read_file(folder / "f", 100) == old_bytes);
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("write_file_atomically: a folder whose file system cannot store folders is no failure") {
  const TemporaryFolder folder;
  the_system = {.failing = 13, .error = EINVAL};  // the folder's fsync
  CHECK_NOTHROW(pm::write_file_atomically(folder / "f", new_bytes, calls()));
  CHECK(the_system.failed == "fsync");
}

TEST_CASE("write_file_atomically: a folder that is missing, or a folder in the file's place, is told by name") {
  const TemporaryFolder folder;
  const std::string inside = (folder / "none/f").string();
  CHECK_THROWS_WITH_AS(pm::write_file_atomically(inside, "x"),
                       (inside + ": cannot be written in its folder: No such file or directory; "
                                 "the file before it, if any, is unchanged")
                           .c_str(),
                       pm::RuntimeFailure);
  fs::create_directory(folder / "d");
  CHECK_THROWS_AS(pm::write_file_atomically(folder / "d", "x"), pm::RuntimeFailure);
  CHECK(fs::is_directory(folder / "d"));
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("write_file_atomically: threads that write one file at once leave the bytes of one of them") {
  const TemporaryFolder folder;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&folder, t] {
      for (int i = 0; i < 20; ++i) {
        pm::write_file_atomically(folder / "f", std::string(10'000 + std::size_t(t), static_cast<char>('a' + t)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string bytes = pm::read_file(folder / "f", 20'000);
  REQUIRE(bytes.size() >= 10'000);
  CHECK(bytes.size() == 10'000 + std::size_t(bytes[0] - 'a'));
  CHECK(bytes == std::string(bytes.size(), bytes[0]));
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE(
    "FolderLock: a folder is one lock's at a time, other folders are free, and what is no folder is told by name") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "one");
  fs::create_directory(folder / "other");
  std::unique_ptr<pm::FolderLock> first = pm::FolderLock::take(folder / "one");
  REQUIRE(first != nullptr);
  CHECK(pm::FolderLock::take(folder / "one") == nullptr);
  CHECK(pm::FolderLock::take(folder / "other") != nullptr);
  first.reset();
  CHECK(pm::FolderLock::take(folder / "one") != nullptr);
  CHECK_THROWS_AS(pm::FolderLock::take(folder / "none"), pm::RuntimeFailure);
  CHECK_THROWS_AS(pm::InputFile<pm::DataError>(folder / "one"), pm::DataError);
}

TEST_CASE("InputFile::read_at: any bytes, wherever read() stands, in as many calls as it takes; errors are its own") {
  const TemporaryFolder folder;
  const fs::path path = folder.write("digits", "0123456789");
  pm::FileSystemCalls calls;
  calls.pread = [](int file, void* bytes, std::size_t count, off_t offset) {
    return ::pread(file, bytes, std::min<std::size_t>(count, 2), offset);  // short reads, so that there are several
  };
  pm::InputFile<pm::DataError> file(path, calls);
  std::string bytes(5, ' ');
  const std::span<std::byte> all = std::as_writable_bytes(std::span(bytes));
  CHECK(file.read_at(5, all));
  CHECK(bytes == "56789");
  CHECK(file.read(bytes.data(), 2) == 2);
  CHECK(bytes.substr(0, 2) == "01");
  CHECK_FALSE(file.read_at(6, all));
  CHECK_FALSE(file.read_at(100, all));
  CHECK(file.read_at(100, {}));
  calls.pread = [](int, void*, std::size_t, off_t) -> ssize_t {
    errno = EIO;
    return -1;
  };
  CHECK_THROWS_WITH_AS(pm::InputFile<pm::DataError>(path, calls).read_at(0, all), doctest::Contains("cannot be read"),
                       pm::DataError);
}

TEST_CASE("remove_unfinished_files: what a dead writer left goes, and nothing else") {
  const TemporaryFolder folder;
  const std::vector<std::string> stay{"last.safetensors", "a.tmp",     "a.tmp12", "a.tmp12-",
                                      "a.tmp-3",          "a.tmp1x-3", "12-3",    "a.tmp12-3.png"};
  const std::vector<std::string> go{"last.safetensors.tmp1234-0", "b.tmp1-22", ".tmp7-7"};
  for (const auto* names : {&stay, &go}) {
    for (const std::string& name : *names) pm::write_file_atomically(folder / name, name);
  }
  pm::remove_unfinished_files(folder / "");
  for (const std::string& name : stay) CHECK(fs::exists(folder / name));
  for (const std::string& name : go) CHECK_FALSE(fs::exists(folder / name));
  pm::remove_unfinished_files(folder / "absent");  // nothing to do
}

}  // namespace files_test
