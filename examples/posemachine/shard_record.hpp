// What the result of a share says of its run, so that merge puts together what belongs together.
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/base/shard.hpp>
#include <posemachine/model/model.hpp>

#include <string>

namespace tool {

struct ShardRecord {
  posemachine::Shard shard;
  // An object, equal in all shares of one run and in no others: the command, digests of the model and of all input, and
  // the options that change results.
  posemachine::Json run;
};

/// {"number", "of", "run"}; commands add what else merge needs of a share.
posemachine::Json to_json(const ShardRecord& record);

/// Errors: DataError naming `where` and the member.
ShardRecord shard_record_from_json(const posemachine::Json& json, const std::string& where);

/// The first member of the run that the other record has otherwise, or nothing where they are equal.
std::string first_difference(const ShardRecord& a, const ShardRecord& b);

/// Of weights, graph and meaning; where the file lies does not matter.
std::string model_digest(const posemachine::Model& model);

}  // namespace tool
