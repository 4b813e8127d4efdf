// What results of shares say of their run: written, read, compared.
#include "shard_record.hpp"

#include <posemachine/base/digest.hpp>

#include <limits>

namespace pm = posemachine;

namespace tool {

pm::Json to_json(const ShardRecord& record) {
  return {{"number", record.shard.number}, {"of", record.shard.count}, {"run", record.run}};
}

ShardRecord shard_record_from_json(const pm::Json& json, const std::string& where) {
  ShardRecord record;
  record.shard.count = int(pm::integer_member(json, "of", where, 1, std::numeric_limits<int>::max()));
  record.shard.number = int(pm::integer_member(json, "number", where, 1, record.shard.count));
  record.run = pm::member(json, "run", where);
  pm::string_member(record.run, "command", where + ".run");
  return record;
}

std::string first_difference(const ShardRecord& a, const ShardRecord& b) {
  for (const auto& [key, value] : a.run.items()) {
    if (!b.run.contains(key) || b.run[key] != value) return key;
  }
  for (const auto& [key, value] : b.run.items()) {
    if (!a.run.contains(key)) return key;
  }
  return "";
}

std::string model_digest(const pm::Model& model) {
  pm::Digest digest;
  digest.add(model.to_bytes());
  return digest.text();
}

}  // namespace tool
