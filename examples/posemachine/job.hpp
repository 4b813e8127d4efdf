// The processes that mpirun started, where it did.
#pragma once

#include <posemachine/engine/communicator.hpp>

#include <functional>
#include <memory>

namespace tool {

/// Calls body with this process's place among those of its job, null where it is alone, and returns what body does.
/// With others, what body throws is said on stderr and ends them all: they would wait for this one.
/// Errors: UsageError where the job has several processes and this program was built without MPI; what body throws.
int in_job(const std::function<int(const std::shared_ptr<posemachine::engine::Communicator>& ranks)>& body);

/// Processors of this machine for each process of the job that runs here.
int processors_for_each();

/// Threads of a process of the job: processors_for_each(), and no more than it may use.
int default_workers();

}  // namespace tool
