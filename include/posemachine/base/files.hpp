// Files: read whole with a bound, written atomically.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

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
  ~OpenFile() {
    if (descriptor_ >= 0) close_(descriptor_);
  }
  int get() const { return descriptor_; }
  int close() {
    const int result = close_(descriptor_);
    descriptor_ = -1;
    return result;
  }

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
  static std::unique_ptr<FolderLock> take(const std::filesystem::path& folder, const FileSystemCalls& calls = {}) {
    constexpr int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    const int descriptor = detail::again([&] { return calls.open(folder.c_str(), flags, 0); });
    if (descriptor < 0) detail::fail_errno<RuntimeFailure>(folder, "cannot be opened", errno);
    std::unique_ptr<FolderLock> lock(new FolderLock(descriptor, calls.close));
    const int result = detail::again([&] { return ::flock(descriptor, LOCK_EX | LOCK_NB); });
    if (result != 0 && errno == EWOULDBLOCK) return nullptr;
    return lock;
  }

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
inline void write_file_atomically(const std::filesystem::path& path, std::string_view bytes,
                                  const FileSystemCalls& calls = {}) {
  static std::atomic<unsigned> writes{0};  // with the process's number: no two writers share a temporary file
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const std::string temporary = path.string() + ".tmp" + std::to_string(::getpid()) + "-" + std::to_string(writes++);
  const auto give_up = [&](std::string_view what, int error) {
    calls.unlink(temporary.c_str());
    detail::fail_errno<RuntimeFailure>(path, what, error, "the file before it, if any, is unchanged");
  };
  const auto open = [&](const char* name, int flags) {
    return detail::again([&] { return calls.open(name, flags | O_CLOEXEC, 0644); });
  };
  // Opened first: were it to fail after the rename, the old file would be gone.
  const detail::OpenFile directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY), calls.close);
  if (directory.get() < 0) give_up("cannot be written in its folder", errno);
  {
    detail::OpenFile file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW), calls.close);
    if (file.get() < 0) give_up("cannot be written", errno);
    std::size_t done = 0;
    while (done < bytes.size()) {
      const auto write_on = [&] { return calls.write(file.get(), bytes.data() + done, bytes.size() - done); };
      const ssize_t count = detail::again(write_on);
      if (count <= 0) give_up("cannot be written", count < 0 ? errno : EIO);
      done += static_cast<std::size_t>(count);
    }
    if (detail::again([&] { return calls.fsync(file.get()); }) != 0) give_up("cannot be stored", errno);
    // Not again after EINTR: Linux has closed it by then.
    if (file.close() != 0 && errno != EINTR) give_up("cannot be closed", errno);
  }
  if (calls.rename(temporary.c_str(), path.c_str()) != 0) give_up("cannot be put in place", errno);
  // EINVAL: a file system whose folders cannot be stored by themselves.
  if (detail::again([&] { return calls.fsync(directory.get()); }) != 0 && errno != EINVAL) {
    detail::fail_errno<RuntimeFailure>(path, "is written, but its folder cannot be stored", errno,
                                       "after a power cut the file before it may be back");
  }
}

/// Removes what processes that died in write_file_atomically left in a folder. For a folder that nobody else writes in.
inline void remove_unfinished_files(const std::filesystem::path& folder) {
  const auto is_number = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();  // "last.safetensors.tmp1234-5"
    const std::size_t mark = name.rfind(".tmp");
    const std::size_t dash = name.rfind('-');
    if (mark == std::string::npos || dash == std::string::npos || dash < mark) continue;
    const std::string_view text = name;
    if (is_number(text.substr(mark + 4, dash - mark - 4)) && is_number(text.substr(dash + 1))) {
      found.push_back(at->path());
    }
  }
  std::error_code ignored;  // one that cannot be removed takes room, no more
  for (const std::filesystem::path& path : found) std::filesystem::remove(path, ignored);
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
