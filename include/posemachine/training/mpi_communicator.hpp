// MpiCommunicator: the processes that mpirun started, over MPI: the only door to it.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/engine/communicator.hpp>

#if !defined(OMPI_SKIP_MPICXX)
#define OMPI_SKIP_MPICXX 1  // the C interface alone
#endif
#include <mpi.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <exception>
#include <span>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The processes of MPI_COMM_WORLD. One for the life of a process: MPI begins and ends with it. Used by the thread that
/// made it. The others would wait for ever for a rank that fails, so it has to end the whole job: catch what is thrown
/// while this lives, say it and call abort(); an exception that leaves its scope does so without a word.
class MpiCommunicator : public engine::Communicator {
 public:
  /// Errors: UsageError where MPI was begun before, RuntimeFailure where it cannot be.
  MpiCommunicator() : exceptions_(std::uncaught_exceptions()) {
    int begun = 0;
    MPI_Initialized(&begun);
    if (begun != 0) fail<UsageError>({.where = "MPI", .expected = "to be begun once in a process", .got = "twice"});
    int provided = MPI_THREAD_SINGLE;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "begin");
    if (provided < MPI_THREAD_FUNNELED) {
      MPI_Finalize();
      fail<RuntimeFailure>({.where = "MPI", .expected = "a library that allows threads", .got = "another"});
    }
    check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "set its error handler");
    check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "tell the rank");
    check(MPI_Comm_size(MPI_COMM_WORLD, &count_), "tell the number of ranks");
  }

  ~MpiCommunicator() override {
    if (std::uncaught_exceptions() > exceptions_) MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Finalize();
  }

  int rank() const override { return rank_; }
  int count() const override { return count_; }

  void send(int to, std::span<const std::byte> bytes) override {
    in_parts(bytes, [&](std::span<const std::byte> part) {
      check(MPI_Send(part.data(), static_cast<int>(part.size()), MPI_BYTE, to, 0, MPI_COMM_WORLD),
            "send to rank " + std::to_string(to));
    });
  }

  void receive(int from, std::span<std::byte> bytes) override {
    in_parts(bytes, [&](std::span<std::byte> part) {
      MPI_Status status;
      const std::string what = "receive from rank " + std::to_string(from);
      check(MPI_Recv(part.data(), static_cast<int>(part.size()), MPI_BYTE, from, 0, MPI_COMM_WORLD, &status), what);
      int count = 0;
      check(MPI_Get_count(&status, MPI_BYTE, &count), what);
      if (count == static_cast<int>(part.size())) return;
      fail<RuntimeFailure>({.where = "MPI: message from rank " + std::to_string(from),
                            .expected = std::to_string(part.size()) + " bytes",
                            .got = std::to_string(count)});
    });
  }

  void broadcast(int root, std::span<std::byte> bytes) override {
    in_parts(bytes, [&](std::span<std::byte> part) {
      check(MPI_Bcast(part.data(), static_cast<int>(part.size()), MPI_BYTE, root, MPI_COMM_WORLD),
            "broadcast from rank " + std::to_string(root));
    });
  }

  /// Ends every process of the job; mpirun exits with `code`.
  [[noreturn]] void abort(int code) {
    MPI_Abort(MPI_COMM_WORLD, code);
    std::terminate();  // not reached
  }

 private:
  // MPI counts in int.
  template <class Byte, class Call>
  static void in_parts(std::span<Byte> bytes, const Call& call) {
    constexpr std::size_t most = std::size_t{1} << 30;
    for (std::size_t begin = 0; begin < bytes.size(); begin += most) {
      call(bytes.subspan(begin, std::min(most, bytes.size() - begin)));
    }
  }

  static void check(int result, const std::string& what) {
    if (result == MPI_SUCCESS) return;
    std::array<char, MPI_MAX_ERROR_STRING> text{};
    int size = 0;
    MPI_Error_string(result, text.data(), &size);
    fail<RuntimeFailure>(
        {.where = "MPI: cannot " + what, .got = std::string(text.data(), static_cast<std::size_t>(size))});
  }

  int exceptions_;
  int rank_ = 0;
  int count_ = 1;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
