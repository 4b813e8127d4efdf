// Files: read whole with a bound, written atomically.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The system calls reading and writing go through; tests replace them to fail the n-th call.
struct FileSystemCalls {
  int (*open)(const char* path, int flags, mode_t mode) = [](const char* path, int flags, mode_t mode) {
    return ::open(path, flags, mode);
  };
  ssize_t (*write)(int file, const void* bytes, std::size_t count) = ::write;
  int (*fsync)(int file) = ::fsync;
  int (*close)(int file) = ::close;
  int (*rename)(const char* from, const char* to) = std::rename;
  int (*unlink)(const char* path) = ::unlink;
  ssize_t (*read)(int file, void* bytes, std::size_t count) = ::read;
  ssize_t (*pread)(int file, void* bytes, std::size_t count, off_t offset) = ::pread;
};

namespace detail {

template <class E>
[[noreturn]] void fail_errno(const std::filesystem::path& path, std::string_view what, int error,
                             const std::string& remedy = "") {
  fail<E>({.where = path.string() + ": " + std::string(what) + ": " + std::strerror(error), .remedy = remedy});
}

// Makes a system call until no signal interrupts it.
template <class Call>
auto again(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// A file descriptor that is closed on every way out.
class OpenFile {
 public:
  OpenFile(int descriptor, int (*close_call)(int)) : descriptor_(descriptor), close_(close_call) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile();
  int get() const { return descriptor_; }
  int close();

 private:
  int descriptor_;
  int (*close_)(int);
};

}  // namespace detail

/// Keeps a folder for one process: while it lives, no other lock of the same folder can be made, here or in another
/// process. It ends with the process, however that ends. A file system without locks gives a lock that keeps nothing
/// out.
class FolderLock {
 public:
  /// The lock, or null where another one holds the folder. Errors: RuntimeFailure where the folder cannot be opened.
  static std::unique_ptr<FolderLock> take(const std::filesystem::path& folder, const FileSystemCalls& calls = {});

 private:
  FolderLock(int descriptor, int (*close_call)(int)) : file_(descriptor, close_call) {}

  detail::OpenFile file_;
};

/// A regular file, read from its beginning. E: what its errors are.
template <class E>
class InputFile {
 public:
  /// Errors: E naming the file, for a missing or unreadable one and for what is no regular file.
  explicit InputFile(const std::filesystem::path& path, const FileSystemCalls& calls = {})
      : path_(path), calls_(calls), file_(open(), calls.close) {
    if (file_.get() < 0) detail::fail_errno<E>(path, "cannot be opened", errno);
    struct stat status{};
    if (::fstat(file_.get(), &status) != 0) detail::fail_errno<E>(path, "cannot be examined", errno);
    if (!S_ISREG(status.st_mode)) {
      fail<E>({.where = path.string(),
               .expected = "a file",
               .got = S_ISDIR(status.st_mode) ? "a folder" : "a device or pipe"});
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
  }

  std::uint64_t size() const { return size_; }  // bytes, when it was opened

  /// Errors: E where it was larger when it was opened.
  void require_at_most(std::uint64_t max_bytes) const {
    if (size_ <= max_bytes) return;
    fail<E>({.where = path_.string(),
             .expected = "at most " + std::to_string(max_bytes) + " bytes",
             .got = std::to_string(size_)});
  }

  /// The next `count` bytes, or what there is before the end. Errors: E with the system's reason.
  std::size_t read(void* bytes, std::size_t count) {
    std::size_t done = 0;
    while (done < count) {
      const auto read_on = [&] { return calls_.read(file_.get(), static_cast<char*>(bytes) + done, count - done); };
      const ssize_t more = detail::again(read_on);
      if (more < 0) detail::fail_errno<E>(path_, "cannot be read", errno);
      if (more == 0) break;
      done += static_cast<std::size_t>(more);
    }
    return done;
  }

  /// Fills `bytes` with those from `offset` on, wherever read() has come to; whether there are as many.
  /// Errors: E with the system's reason.
  bool read_at(std::uint64_t offset, std::span<std::byte> bytes) const {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const auto read_on = [&] {
        return calls_.pread(file_.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
      };
      const ssize_t more = detail::again(read_on);
      if (more < 0) detail::fail_errno<E>(path_, "cannot be read", errno);
      if (more == 0) return false;
      done += static_cast<std::size_t>(more);
    }
    return true;
  }

 private:
  int open() const {
    constexpr int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;  // a FIFO must not block
    return detail::again([&] { return calls_.open(path_.c_str(), flags, 0); });
  }

  std::filesystem::path path_;
  FileSystemCalls calls_;
  detail::OpenFile file_;
  std::uint64_t size_ = 0;
};

/// The bytes of a regular file of at most max_bytes. Errors: E naming the file, as InputFile, and for a larger one; its
/// size is checked before memory is taken for it.
template <class E = DataError>
std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes, const FileSystemCalls& calls = {}) {
  InputFile<E> file(path, calls);
  file.require_at_most(max_bytes);
  std::string bytes(static_cast<std::size_t>(file.size()), '\0');
  bytes.resize(file.read(bytes.data(), bytes.size()));  // it may have become shorter meanwhile
  return bytes;
}

/// Replaces a file as a whole: after a failure at any moment, a crash included, either the old or the new bytes are
/// there. Errors: RuntimeFailure naming the file and the system's reason (a full disk, missing rights); the old file
/// stays, unless the message says that the new one is written and only its folder could not be stored.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes,
                           const FileSystemCalls& calls = {});

/// Removes what processes that died in write_file_atomically left in a folder. For a folder that nobody else writes in.
void remove_unfinished_files(const std::filesystem::path& folder);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/base/files.ipp>
#endif
