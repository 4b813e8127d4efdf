// Jobs of several processes: found by what Open MPI's mpirun leaves in the environment.
#include "job.hpp"

#include "tool.hpp"

#include <posemachine/core/error.hpp>
#if defined(POSEMACHINE_MPI)
#include <posemachine/training/mpi_communicator.hpp>
#endif

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace pm = posemachine;

namespace tool {

namespace {

// 1 where it is not said.
int count_from_environment(const char* name) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::max(1, std::atoi(text)) : 1;
}

}  // namespace

int in_job(const std::function<int(const std::shared_ptr<pm::engine::Communicator>&)>& body) {
  const int count = count_from_environment("OMPI_COMM_WORLD_SIZE");
  if (count == 1) return body(nullptr);
#if defined(POSEMACHINE_MPI)
  int code = done;
  bool interrupted = false;
  {
    const auto ranks = std::make_shared<pm::MpiCommunicator>();
    try {
      code = body(ranks);
    } catch (const Interrupted&) {
      interrupted = true;  // all of them are
    } catch (...) {
      ranks->abort(complain_of_exception("rank " + std::to_string(ranks->rank())));
    }
  }
  if (interrupted) throw Interrupted{};
  return code;
#else
  pm::fail<pm::UsageError>({.where = "mpirun",
                            .expected = "one process: this program was built without MPI",
                            .got = std::to_string(count),
                            .remedy = "build it with the component mpi, as ./dev build --mpi does"});
#endif
}

int processors_for_each() {
  const auto processors = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
  return std::max(1, processors / count_from_environment("OMPI_COMM_WORLD_LOCAL_SIZE"));
}

int default_workers() { return std::min(default_threads(), processors_for_each()); }

}  // namespace tool
