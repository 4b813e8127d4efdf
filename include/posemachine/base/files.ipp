// The definitions of base/files.hpp.
#pragma once

#include <posemachine/base/files.hpp>

#include <sys/file.h>

#include <atomic>
#include <system_error>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE OpenFile::~OpenFile() {
  if (descriptor_ >= 0) close_(descriptor_);
}

POSEMACHINE_INLINE int OpenFile::close() {
  const int result = close_(descriptor_);
  descriptor_ = -1;
  return result;
}

}  // namespace detail

POSEMACHINE_INLINE std::unique_ptr<FolderLock> FolderLock::take(const std::filesystem::path& folder,
                                                                const FileSystemCalls& calls) {
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  const int descriptor = detail::again([&] { return calls.open(folder.c_str(), flags, 0); });
  if (descriptor < 0) detail::fail_errno<RuntimeFailure>(folder, "cannot be opened", errno);
  std::unique_ptr<FolderLock> lock(new FolderLock(descriptor, calls.close));
  const int result = detail::again([&] { return ::flock(descriptor, LOCK_EX | LOCK_NB); });
  if (result != 0 && errno == EWOULDBLOCK) return nullptr;
  return lock;
}

POSEMACHINE_INLINE void write_file_atomically(const std::filesystem::path& path, std::string_view bytes,
                                              const FileSystemCalls& calls) {
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

POSEMACHINE_INLINE void remove_unfinished_files(const std::filesystem::path& folder) {
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

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
